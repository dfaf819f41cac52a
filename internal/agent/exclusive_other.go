//go:build !windows

package agent

import "net"

// listenConfig makes sockets; here nobody shares one that is taken.
func listenConfig() *net.ListenConfig { return new(net.ListenConfig) }
