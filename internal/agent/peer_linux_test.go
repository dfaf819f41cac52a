package agent

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestSec8OtherUser: a peer of another user, or one that cannot be told, is refused.
func TestSec8OtherUser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tcp")
	line := "   0: 0100007F:1F90 0100007F:350B 01 00000000:00000000 00:00000000 00000000  4242        0 777 1 0\n"
	if err := os.WriteFile(path, []byte("  sl  local_address\n"+line), 0o600); err != nil {
		t.Fatal(err)
	}
	uid, inode, found := lookup(path, "0100007F:1F90", "0100007F:350B", established)
	if !found || uid != 4242 || inode != "777" {
		t.Errorf("%d %s %v", uid, inode, found)
	}
	if _, _, found := lookup(path, "0100007F:1F91", "0100007F:350B", established); found {
		t.Error("a socket that is not there was found")
	}
	loop := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}
	if _, err := owner(loop, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2}); !errors.Is(err, errCannotTell) {
		t.Errorf("%v", err)
	}
	for _, c := range []struct {
		addr net.TCPAddr
		six  bool
		want string
	}{
		{net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}, false, "0100007F:1F90"},
		{net.TCPAddr{IP: net.IPv6loopback, Port: 13579}, true, "00000000000000000000000001000000:350B"},
		{net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, true, "0000000000000000FFFF00000100007F:0001"},
	} {
		if got, _ := entry(&c.addr, c.six); got != c.want {
			t.Errorf("%s", got)
		}
	}
}

// TestSec8OtherUserLive runs a peer as another user, where the test may do that.
func TestSec8OtherUserLive(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	tool, err := exec.LookPath("setpriv")
	if err != nil {
		t.Skip("no setpriv here")
	}
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("no curl here")
	}
	b := bring(t)
	out, err := exec.Command(tool, "--reuid=65534", "--clear-groups", curl, "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://"+b.agent.Addr()+"/").Output()
	if err != nil || string(out) != "403" {
		t.Errorf("%s %v", out, err)
	}
}
