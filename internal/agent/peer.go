package agent

import (
	"errors"
	"net"
	"os"
)

// peer is the other end of a socket on this machine.
type peer struct {
	id string // what finds its program: on Linux the inode of its own socket, elsewhere the path itself
}

// ours tells whether the program that holds the socket is the agent's own: the file its process runs is the one we run,
// or the one that was put in its place by an update. What cannot be told is another's.
func (p peer) ours() bool {
	own, err := os.Executable()
	if err != nil {
		return false
	}
	mine, err := os.Stat(own)
	if err != nil {
		return false
	}
	theirs, err := os.Stat(p.image())
	return err == nil && os.SameFile(mine, theirs)
}

var (
	errOtherUser  = errors.New("the peer belongs to another user")
	errCannotTell = errors.New("the user of the peer cannot be told")
)

// checkPeer refuses a peer that is not on this machine or not the agent's own user. Being unable to
// tell is a refusal too, unless the configuration says nobody else uses the machine.
func (a *Agent) checkPeer(c net.Conn) (peer, error) {
	remote, ok := c.RemoteAddr().(*net.TCPAddr)
	local, also := c.LocalAddr().(*net.TCPAddr)
	if !ok || !also || !remote.IP.IsLoopback() {
		return peer{}, errors.New("the peer is not on this machine")
	}
	p, err := owner(remote, local)
	if errors.Is(err, errCannotTell) && a.config.SingleUser {
		return peer{}, nil
	}
	return p, err
}
