package agent

import (
	"errors"
	"net"
	"syscall"

	"golang.org/x/sys/windows"
)

// listenConfig makes sockets that nobody else shares: on Windows a program that asks to share an address that is taken gets it
// otherwise, and then what comes there, or a part.
func listenConfig() *net.ListenConfig {
	return &net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		const exclusive = ^windows.SO_REUSEADDR // SO_EXCLUSIVEADDRUSE
		var set error
		err := c.Control(func(socket uintptr) {
			set = windows.SetsockoptInt(windows.Handle(socket), windows.SOL_SOCKET, exclusive, 1)
		})
		return errors.Join(err, set)
	}}
}
