package desktop

// taskbar has nothing to wait for: the bus tells when somebody shows marks.
func taskbar(<-chan struct{}) bool { return true }
