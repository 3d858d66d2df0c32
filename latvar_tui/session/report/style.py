"""The report's look: light, dark and on paper."""

from __future__ import annotations

from latvar_tui.colours import CANDIDATES

_DASHES = ("none", "8 4", "2 3", "9 3 2 3", "15 3", "1 4", "4 2", "9 3 2 3 2 3")
_SHADES = (0.14, 0.32, 0.52, 0.76, 1.0)
_LEAST_CONTRAST = 3.0
"""WCAG 2.1, 1.4.11: of what must be seen to understand a picture."""


def on_white(colour: str) -> str:
    """The colour, darkened until it stands out from white; yellow on paper would not be seen."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    for percent in range(100, 0, -1):
        shade = [channel * percent // 100 for channel in (red, green, blue)]
        if 1.05 / (_luminance(shade) + 0.05) >= _LEAST_CONTRAST:
            return "#" + "".join(f"{channel:02x}" for channel in shade)
    return "#000000"


def _luminance(channels: list[int]) -> float:
    """WCAG's relative luminance of sRGB."""
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


_LIGHT = {
    "paper": "#ffffff",
    "ink": "#1b1f24",
    "soft": "#59636e",
    "grid": "#dfe3e8",
    "edge": "#c3c9d1",
    "band": "#f5f7f9",
}
_DARK = {
    "paper": "#121212",
    "ink": "#e6e6e6",
    "soft": "#a0a6ad",
    "grid": "#2b2f34",
    "edge": "#454b52",
    "band": "#1b1d20",
}


def style() -> str:
    """The style sheet."""
    light = _LIGHT | {f"c{slot}": on_white(colour) for slot, colour in enumerate(CANDIDATES)}
    dark = _DARK | {f"c{slot}": colour for slot, colour in enumerate(CANDIDATES)}
    slots = "".join(
        f".c{slot}{{stroke:var(--c{slot})}}.f{slot}{{fill:var(--c{slot})}}.d{slot}{{stroke-dasharray:{dash}}}"
        for slot, dash in enumerate(_DASHES)
    )
    shades = "".join(f".s{level}{{fill-opacity:{shade}}}" for level, shade in enumerate(_SHADES, 1))
    return (
        f":root{{color-scheme:light dark;{_variables(light)}}}"
        f"@media (prefers-color-scheme:dark){{:root{{{_variables(dark)}}}}}"
        f"{_RULES}{slots}{shades}"
        f"@media print{{:root{{color-scheme:light;{_variables(light)}}}{_PRINT}}}"
    )


def _variables(colours: dict[str, str]) -> str:
    return ";".join(f"--{name}:{colour}" for name, colour in colours.items())


_RULES = """
*{box-sizing:border-box}
body{margin:0;overflow-wrap:anywhere;background:var(--paper);color:var(--ink);font:15px/1.45 system-ui,sans-serif;
-webkit-text-size-adjust:100%}
main{max-width:1160px;margin:0 auto;padding:16px}
h1{font-size:1.55rem;line-height:1.2;margin:.2em 0}
h2{font-size:1.3rem;margin:2em 0 .4em;padding-top:.6em;border-top:2px solid var(--edge)}
h3{font-size:1.1rem;margin:1.8em 0 .5em}
h4{font-size:1rem;margin:0}
p{margin:.3em 0;max-width:75ch}
a{color:inherit}
.soft,.note,footer{color:var(--soft)}
.note,footer{font-size:.86rem}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));gap:20px 28px}
figure{margin:0;min-width:0;break-inside:avoid}
figure>svg{display:block;width:100%;height:auto;margin-top:4px}
.legend{break-inside:avoid}
svg text{fill:var(--soft);font-size:10px}
svg text.name,svg text.label{fill:var(--ink)}
.grid{stroke:var(--grid);stroke-width:1}
.axis{stroke:var(--edge);stroke-width:1}
.line{fill:none;stroke-width:2;stroke-linejoin:round}
.thick{stroke-width:8}
.faint{stroke-width:1.2;stroke-opacity:.6}
.outline{fill:none;stroke:var(--ink);stroke-width:1.1}
circle{stroke-width:1.6}
.hollow{fill:var(--paper)}
.stress{fill:var(--ink)}
.mark{fill:var(--ink)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 16px;margin:4px 0;padding:0;font-size:.86rem}
.legend li{display:flex;align-items:center;gap:6px}
.key{width:30px;height:10px;flex:none}
details{margin:6px 0}
summary{cursor:pointer;color:var(--soft);font-size:.86rem;padding:4px 0}
.scrolls{overflow-x:auto;margin:8px 0;
background:linear-gradient(var(--paper),var(--paper)) right/24px 100% no-repeat local,
linear-gradient(to left,var(--edge),transparent) right/12px 100% no-repeat scroll}
.scrolls:focus-visible{outline:2px solid var(--soft)}
table{border-collapse:collapse;font-size:.86rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:2px 0 4px;white-space:nowrap}
th,td{padding:3px 9px;text-align:right;border-bottom:1px solid var(--grid);white-space:nowrap;font-weight:400}
thead th{color:var(--soft);border-bottom-color:var(--edge)}
th.name,td.name{text-align:left;padding-left:0}
tbody th.name{font-weight:600}
.cells tbody th.name,.cells thead th.name{position:sticky;left:0;background:var(--paper)}
.unsure{color:var(--soft)}
figure table{font-size:.78rem}
figure th,figure td{padding:2px 6px}
.facts td{white-space:normal}
.notes{padding-left:1.2em;margin:.4em 0}
.notes li{margin:.2em 0;max-width:80ch}
@media (max-width:480px){table{font-size:.76rem}th,td{padding:4px 4px}main{padding:12px}}
footer{margin:3em 0 1em;border-top:1px solid var(--edge);padding-top:.6em}
"""

_PRINT = """
body{font-size:10pt}
main{max-width:none;padding:0}
.pictures{grid-template-columns:1fr 1fr}
.scrolls{overflow:visible}
table{font-size:8pt;break-inside:auto}
tr{break-inside:avoid}
th,td{padding:1px 5px}
h2,h3,caption{break-after:avoid}
details:not([open]){display:none}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
"""
