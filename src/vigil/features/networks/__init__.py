"""Networks of others that know real people: fetched as graphs of TensorFlow.js, written and run as ONNX."""
