package agent

import (
	"net"
	"strconv"
	"strings"
)

// lsofSocket is one socket in the output of lsof -F pucn.
type lsofSocket struct {
	pid, uid int
	command  string
	name     string // local->remote, or local
}

// readLsof reads lines of one field each: p begins a process, n ends a socket.
func readLsof(out []byte) []lsofSocket {
	var list []lsofSocket
	var now lsofSocket
	for line := range strings.Lines(string(out)) {
		line = strings.TrimRight(line, "\n")
		if line == "" {
			continue
		}
		switch rest := line[1:]; line[0] {
		case 'p':
			pid, err := strconv.Atoi(rest)
			if err != nil {
				return nil
			}
			now = lsofSocket{pid: pid, uid: -1}
		case 'u':
			uid, err := strconv.Atoi(rest)
			if err != nil {
				return nil
			}
			now.uid = uid
		case 'c':
			now.command = rest
		case 'n':
			now.name = rest
			list = append(list, now)
		}
	}
	return list
}

// lsofBetween finds the socket remote→local.
func lsofBetween(list []lsofSocket, remote, local *net.TCPAddr) (pcbSocket, bool) {
	for _, s := range list {
		if s.name == remote.String()+"->"+local.String() {
			return pcbSocket{uid: s.uid, pid: s.pid}, true
		}
	}
	return pcbSocket{}, false
}
