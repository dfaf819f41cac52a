// The client library asks for "ws" outside browsers; a browser has a WebSocket of its own.
