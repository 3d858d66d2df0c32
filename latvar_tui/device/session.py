"""An ONNX Runtime session as a candidate's settings ask for it, and in words why there is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from latvar_tui.candidate import Candidate, UsageError
from latvar_tui.zoo.entries import ZooError
from latvar_tui.zoo.onnx_file import read_onnx

SPIN_DURATION_SINCE = (1, 26)
"""Older runtimes ignore the setting silently (looked up in the 1.25.0 and 1.26.0 wheels)."""

_LEVELS = {
    "off": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "all": "ORT_ENABLE_ALL",
}
_NOT_HERE = frozenset({"AzureExecutionProvider"})
"""Listed by the runtime, but they compute elsewhere: everything would run as provider=cpu, under another name."""


def open_session(candidate: Candidate, path: Path) -> Any:
    """Load the model at ``path``.

    Returns:
        An ``onnxruntime.InferenceSession``.

    Raises:
        UsageError: the runtime refuses the model or a setting; the reason in a sentence.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    # Never 0: the runtime then pins its threads to cores, escaping taskset and cpusets.
    options.intra_op_num_threads = candidate.threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    if candidate.execution == "parallel":
        options.execution_mode = ort.ExecutionMode.ORT_PARALLEL
        options.inter_op_num_threads = candidate.threads
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, _LEVELS[candidate.opt])
    options.enable_cpu_mem_arena = candidate.arena
    for pool in ("intra_op", "inter_op"):
        options.add_session_config_entry(f"session.{pool}.allow_spinning", "1" if candidate.spin else "0")
        if candidate.spin_us is not None:
            _check_spin_duration(candidate, ort.__version__)
            options.add_session_config_entry(f"session.{pool}.spin_duration_us", str(candidate.spin_us))
    if is_ort_format(path):
        if candidate.opt != "all":
            raise UsageError(
                f"'{candidate}' asks for opt={candidate.opt}, and a model in ORT format is optimised when it is saved: "
                "leave opt out, or give the model as .onnx."
            )
        options.add_session_config_entry("session.load_model_format", "ORT")
    options.log_severity_level = 3
    provider = _provider(candidate, ort.get_available_providers(), ort.__version__)
    try:
        session = ort.InferenceSession(str(path), options, providers=_with_options(candidate, provider))
    except Exception as error:
        # The runtime raises a class per status code, all unrelated to one another.
        raise UsageError(refusal(candidate.model, path, ort.__version__, error)) from error
    if provider not in session.get_providers():
        raise UsageError(
            f"'{candidate}' asks for provider={candidate.provider}, which did not start on this device: "
            "use provider=cpu, or see what the log (i) says."
        )
    return session


def provider_names(available: list[str]) -> dict[str, str]:
    """The runtime's providers that compute on this device, by the names that users type."""
    return {
        name.removesuffix("ExecutionProvider").lower(): name
        for name in available
        if name not in _NOT_HERE and name.endswith("ExecutionProvider")
    }


def _provider(candidate: Candidate, available: list[str], version: str) -> str:
    known = provider_names(available)
    if candidate.provider not in known:
        raise UsageError(
            f"'{candidate}' asks for provider={candidate.provider}, which this ONNX Runtime ({version}) was not built "
            f"with: it has {', '.join(f'provider={name}' for name in known)}, so choose one or install another build."
        )
    return known[candidate.provider]


def _with_options(candidate: Candidate, provider: str) -> list[Any]:
    """What it cannot run falls to the CPU provider, as in every application."""
    if provider == "CPUExecutionProvider":
        return [provider]
    # XNNPACK has a pool of its own, of one thread unless told.
    options = {"intra_op_num_threads": str(candidate.threads)} if provider.startswith("Xnnpack") else {}
    return [(provider, options), "CPUExecutionProvider"]


def _check_spin_duration(candidate: Candidate, version: str) -> None:
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < SPIN_DURATION_SINCE:
        raise UsageError(
            f"'{candidate}' asks for a spin duration, which ONNX Runtime {version} cannot set: "
            "use spin=on or spin=off, or install 1.26 or later."
        )


def is_ort_format(path: Path) -> bool:
    """Whatever its name ends in: the runtime goes by the ending alone."""
    with path.open("rb") as file:
        return file.read(8)[4:] == b"ORTM"


def refusal(model: str, path: Path, version: str, error: Exception) -> str:
    """One sentence from what the runtime says, without its codes; where it says little, from a look into the file."""
    text = " ".join(str(error).split()) or type(error).__name__
    runtime = f"ONNX Runtime {version}"
    if found := re.search(r'[Ee]xternal data path does not exist: "?([^"]+?)"?$', text):
        missing = Path(found[1].rstrip(". ")).name
        return f"'{model}' keeps its weights in '{missing}', which is not beside it: put the two into one folder."
    if re.search(r"out of bounds or can not be read in full|file_length", text):
        return f"'{model}' keeps its weights in a file that is too short for it: copy or download that file again."
    if "xternal data" in text:
        return f"'{model}' keeps its weights in another file, which cannot be used ({_last_words(text)}): check it."
    if found := re.search(r"[Uu]nsupported model IR version: (\d+), max supported IR version: (\d+)", text):
        return (
            f"'{model}' has the ONNX file version {found[1]} and {runtime} reads up to {found[2]}: "
            "install a newer one, or export the model for an older version."
        )
    if found := re.search(r"Opset (\d+) is under development.*?domain (\S+) is till opset (\d+)", text):
        return (
            f"'{model}' uses opset {found[1]} and {runtime} goes up to {found[3]}: install a newer one, or export "
            f"the model with opset {found[3]}."
        )
    if found := re.search(r"error: (\S+)\(-?\d+\) is not a registered function/op", text):
        return _without_operator(model, runtime, found[1])
    if found := re.search(r"No Op registered for (\S+) with domain_version of (\d+)", text):
        return _without_operator(model, runtime, f"{found[1]} of opset {found[2]}")
    if found := re.search(r"No opset import for domain '?([^']*)'?", text):
        return _without_operator(model, runtime, f"of the domain {found[1]}")
    if re.search(r"Could not find an implementation for (\S+)", text):
        return (
            f"'{model}' cannot be loaded by {runtime} ({_last_words(text)}): try another precision or a newer runtime."
        )
    if "Protobuf parsing failed" in text or "ORT model verification failed" in text:
        try:
            read_onnx(path)
        except ZooError as seen:
            return f"{seen}."
        return f"'{model}' is no whole ONNX model (it is damaged, truncated or another kind of file): get it again."
    if re.search(r"[Pp]ermission denied", text):
        return f"'{model}' cannot be read (no permission): chmod it or choose another file."
    return f"'{model}' cannot be loaded by {runtime} ({_last_words(text)}): check that it is a whole ONNX model."


def failure(error: Exception, inputs: Sequence[str] = ()) -> str:
    """Why an inference failed, in what the runtime says, without its C++ signatures.

    ``inputs`` describes what the model was fed with (``input_ids int64 1x128``): an index that is too large came
    from there.
    """
    text = " ".join(str(error).split()) or type(error).__name__
    if found := re.search(r"while running (\S+) node\. Name:'([^']*)' Status Message: (.*)", text):
        # "/a/file.h:91 ns::Class::Method(const Type&, bool) what went wrong"
        why = re.sub(r"^\S+:\d+ .*?\)(?: const)? (?=\S)", "", found[3])
        name = f" '{found[2]}'" if found[2] else ""
        text = f"the node {found[1]}{name} says: {why}"
    if found := re.search(
        r"indices element out of data bounds, idx=-?\d+ must be within the inclusive range \[-?\d+,(\d+)\]", text
    ):
        whole = [line.split()[0] for line in inputs if " int" in line]
        options = " or ".join(f"fill={name}:0..{found[1]}" for name in whole) or f"fill=INPUT:0..{found[1]}"
        text = f"an input holds a number above {found[1]}, the highest that a table in it knows: give {options}"
    return text[:300].rstrip(" .")


def _without_operator(model: str, runtime: str, operator: str) -> str:
    return (
        f"'{model}' needs the operator {operator}, which {runtime} does not have: custom operators are not "
        "supported, so export the model without them or install a newer runtime."
    )


def _last_words(text: str) -> str:
    """The tail of an error, which says why; its head names codes, files and C++ signatures."""
    return text.rpartition(" failed:")[2].rpartition(" : ")[2].strip(" .")[:160]
