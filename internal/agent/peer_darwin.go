package agent

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"
)

// pcbs reads the kernel's table of sockets, which netstat shows too: it needs no rights and no other program.
func pcbs() []pcbSocket {
	b, err := unix.SysctlRaw("net.inet.tcp.pcblist_n")
	if err != nil {
		return nil
	}
	return readPCBs(b)
}

// program gives the path of a process's program, and its command line: the kernel gives them to its own user.
func program(pid int) (path, command string) {
	b, err := unix.SysctlRaw("kern.procargs2", pid)
	if err != nil {
		return "", ""
	}
	return readProcArgs(b)
}

// sockets asks the system's own lsof, where the kernel's table is not as it was. It shows a person the sockets of that
// person's programs; whose socket is not shown is somebody else's.
func sockets(port int, state string) []lsofSocket {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "/usr/sbin/lsof", "-nP", "+c", "0", fmt.Sprintf("-iTCP:%d", port), "-sTCP:"+state, "-F", "pucn").Output() //nolint:gosec // a port of ours
	if err != nil && len(out) == 0 {
		return nil // also when nothing is found
	}
	return readLsof(out)
}

// owner finds the socket remote→local and compares its user with ours.
func owner(remote, local *net.TCPAddr) (peer, error) {
	s, found := between(pcbs(), remote, local)
	if !found {
		if s, found = lsofBetween(sockets(remote.Port, "ESTABLISHED"), remote, local); !found {
			return peer{}, errCannotTell
		}
	}
	if s.uid != os.Getuid() {
		return peer{}, errOtherUser
	}
	path, _ := program(s.pid)
	return peer{id: path}, nil
}

func (p peer) program() string { return p.id }

func (p peer) image() string { return p.id }

func holder(port int) (Holder, error) {
	s, found := listens(pcbs(), port)
	if !found {
		list := sockets(port, "LISTEN")
		if len(list) == 0 {
			return Holder{}, ErrFree
		}
		s = pcbSocket{uid: list[0].uid, pid: list[0].pid}
	}
	path, command := program(s.pid)
	return Holder{PID: s.pid, Path: path, Name: commonName(path, command), OtherUser: s.uid != os.Getuid()}, nil
}
