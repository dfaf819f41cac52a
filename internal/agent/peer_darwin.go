package agent

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"
)

// sockets asks the system's own lsof: macOS has no table that a program without cgo can read. It shows
// a person the sockets of that person's programs; whose socket is not shown is somebody else's.
func sockets(filter string, state string) ([]lsofSocket, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "/usr/sbin/lsof", "-nP", "-i"+filter, "-sTCP:"+state, "-F", "pucn").Output() //nolint:gosec // a port of ours
	if err != nil && len(out) == 0 {
		return nil, errCannotTell // also when nothing is found
	}
	return readLsof(out), nil
}

// owner finds the socket remote→local and compares its user with ours.
func owner(remote, local *net.TCPAddr) (peer, error) {
	list, err := sockets(fmt.Sprintf("TCP:%d", remote.Port), "ESTABLISHED")
	if err != nil {
		return peer{}, err
	}
	want := remote.String() + "->" + local.String()
	for _, s := range list {
		if s.name != want {
			continue
		}
		if s.uid != os.Getuid() {
			return peer{}, errOtherUser
		}
		return peer{id: s.command}, nil
	}
	return peer{}, errCannotTell
}

func (p peer) program() string { return p.id }

func (p peer) image() string { return p.id }

func holder(port int) (Holder, error) {
	list, err := sockets(fmt.Sprintf("TCP:%d", port), "LISTEN")
	if err != nil || len(list) == 0 {
		return Holder{}, ErrFree
	}
	return Holder{PID: list[0].pid, Path: list[0].command, Name: commonName(list[0].command, ""), OtherUser: list[0].uid != os.Getuid()}, nil
}
