"""What runs on the measured device: turns, runners, stress and sensors. Imports numpy and onnxruntime only."""
