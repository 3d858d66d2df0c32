"""What a file is that is no ONNX model, as far as its first bytes tell, and what to do about it."""

from __future__ import annotations

_BY_START: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "the Git LFS pointer to one: run git lfs pull"),
    (b"PK\x03\x04", "a zip archive: unpack it, or if PyTorch wrote it, export the model with torch.onnx.export"),
    (b"\x89HDF", "an HDF5 file, as Keras writes: convert the model, for example with tf2onnx"),
    (b"GGUF", "a GGUF model, which ONNX Runtime can't run: export the original to ONNX"),
    (b"\x1f\x8b", "a compressed file: unpack it"),
    (b"\x28\xb5\x2f\xfd", "a compressed file: unpack it"),
    (b"BZh", "a compressed file: unpack it"),
    (b"\xfd7zXZ", "a compressed file: unpack it"),
)

_HEAD = 512


def other_kind(start: bytes) -> str:
    """Return what else a file is that begins with ``start``, and what to do: the end of "is no ONNX model but …"."""
    for magic, what in _BY_START:
        if start.startswith(magic):
            return what
    if start[4:8] == b"TFL3":
        return "a TensorFlow Lite model: convert it, for example with tf2onnx"
    if start[0] == 0x80 and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "a Python pickle, as PyTorch writes: export the model with torch.onnx.export"
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 1 << 30:
        return "weights without a graph (safetensors): export the whole model to ONNX"
    text = start[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<script")):
        return "a web page: download the file itself, not the page about it"
    if not any(byte < 32 and byte not in b"\t\r\n\f" for byte in start[:_HEAD]):
        return "a text file: check that it is the right one"
    return "another kind of file, or a damaged one: get it again"
