package agent

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPain05Holder: the program that has the port is named, also when it listens on every address.
func TestPain05Holder(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Logf("%s: %v", address, err)
			continue
		}
		port := l.Addr().(*net.TCPAddr).Port
		h, err := PortHolder(port)
		if err != nil || h.PID != os.Getpid() || h.OtherUser || !strings.EqualFold(filepath.Base(h.Path), filepath.Base(self)) {
			t.Errorf("%s: %+v %v", address, h, err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if h, err := PortHolder(port); !errors.Is(err, ErrFree) {
			t.Errorf("a free port is held by %+v, %v", h, err)
		}
	}
}

// TestPeerOwner: a connection of our own is known as that, with its program.
func TestPeerOwner(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p, err := owner(c.LocalAddr().(*net.TCPAddr), c.RemoteAddr().(*net.TCPAddr))
	if err != nil || p.program() == "" {
		t.Errorf("%+v %q %v", p, p.program(), err)
	}
}

// TestPain05Names: programs are called as people call them, and the command line is told to nobody.
func TestPain05Names(t *testing.T) {
	for _, c := range []struct{ path, command, want string }{
		{"/usr/lib/jvm/java-8/bin/java", "java\x00-jar\x00/home/a/NCALayer/ncalayer.jar\x00--secret=1", "NCALayer"},
		{`C:\Program Files\KAZTOKEN\KAZTOKEN.exe`, "", "KAZTOKEN"},
		{`C:\Tools\other.exe`, "", "other.exe"},
		{"/opt/agent/bin/thing (deleted)", "thing\x00--password=x", "thing"},
		{"", "", ""},
	} {
		if got := commonName(c.path, c.command); got != c.want {
			t.Errorf("%s: %q, want %q", c.path, got, c.want)
		}
	}
}

// TestPain05OtherUser: another user's program is told as that, where the test can become one.
func TestPain05OtherUser(t *testing.T) {
	tool, err := exec.LookPath("setpriv")
	perl, also := exec.LookPath("perl")
	if os.Getuid() != 0 || err != nil || also != nil {
		t.Skip("needs root, setpriv and perl")
	}
	c := exec.Command(tool, "--reuid=65534", "--clear-groups", perl, "-MIO::Socket::INET", "-e",
		`my $s = IO::Socket::INET->new(LocalAddr=>"127.0.0.1", LocalPort=>0, Listen=>1) or die; $|=1; print $s->sockport, "\n"; <STDIN>;`)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(); _ = c.Wait() }()
	line := make([]byte, 16)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	port := 0
	for _, digit := range strings.TrimSpace(string(line[:n])) {
		port = port*10 + int(digit-'0')
	}
	if h, err := PortHolder(port); err != nil || !h.OtherUser {
		t.Errorf("%+v %v", h, err)
	}
}

// TestPeerLsof reads what macOS's lsof writes.
func TestPeerLsof(t *testing.T) {
	got := readLsof([]byte("p42\nu501\ncGoogle Chrome He\nf20\nn127.0.0.1:50000->127.0.0.1:13579\nf21\nn[::1]:50001->[::1]:13579\np43\nu0\ncjava\nf4\nn*:13579\n"))
	want := []lsofSocket{
		{42, 501, "Google Chrome He", "127.0.0.1:50000->127.0.0.1:13579"}, {42, 501, "Google Chrome He", "[::1]:50001->[::1]:13579"}, {43, 0, "java", "*:13579"},
	}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
	if readLsof([]byte("pnone\n")) != nil {
		t.Error("a process without a number was read")
	}
}
