package agent

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// owner finds the socket remote→local in the kernel's tables and compares its user with ours.
func owner(remote, local *net.TCPAddr) (peer, error) {
	for _, table := range []struct {
		path string
		six  bool
	}{{"/proc/self/net/tcp", false}, {"/proc/self/net/tcp6", true}} {
		from, ok := entry(remote, table.six)
		to, also := entry(local, table.six)
		if !ok || !also {
			continue
		}
		uid, inode, found := lookup(table.path, from, to, established)
		if !found {
			continue
		}
		if uid != os.Getuid() {
			return peer{}, errOtherUser
		}
		return peer{id: inode}, nil
	}
	return peer{}, errCannotTell
}

// entry writes an address as the table does: 32-bit words in the machine's order, here little-endian.
func entry(a *net.TCPAddr, six bool) (string, bool) {
	ip := a.IP.To4()
	if six {
		if ip != nil {
			ip = append(append(make(net.IP, 10), 0xff, 0xff), ip...)
		} else {
			ip = a.IP.To16()
		}
	}
	if ip == nil {
		return "", false
	}
	words := make([]byte, len(ip))
	for i := range ip {
		words[i] = ip[i/4*4+3-i%4]
	}
	return fmt.Sprintf("%s:%04X", strings.ToUpper(hex.EncodeToString(words)), a.Port), true
}

// States of a socket in the kernel's tables.
const (
	established = "01"
	listening   = "0A"
)

// lookup finds a socket; to "" is any.
func lookup(path, from, to, state string) (uid int, inode string, found bool) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", false
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[1] != from || to != "" && fields[2] != to || fields[3] != state {
			continue
		}
		uid, err := strconv.Atoi(fields[7])
		if err != nil {
			return 0, "", false
		}
		return uid, fields[9], true
	}
	return 0, "", false
}

// program names the program that holds the socket, as far as we may look.
func (p peer) program() string {
	exe, err := os.Readlink(p.image())
	if err != nil {
		return ""
	}
	return exe
}

// image is the file that the process runs, whatever is called so where it lives.
func (p peer) image() string {
	process := p.process()
	if process == "" {
		return ""
	}
	return filepath.Join(process, "exe")
}

// process is the folder in /proc of the process that holds the socket, "" when it cannot be told.
func (p peer) process() string {
	if p.id == "" {
		return ""
	}
	want := "socket:[" + p.id + "]"
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return ""
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == want {
			return filepath.Dir(filepath.Dir(link))
		}
	}
	return ""
}

// holder finds who listens on a port of 127.0.0.1, by its own address or by that of all.
func holder(port int) (Holder, error) {
	for _, at := range []struct {
		path string
		ip   net.IP
		six  bool
	}{
		{"/proc/self/net/tcp", net.IPv4(127, 0, 0, 1), false}, {"/proc/self/net/tcp", net.IPv4zero, false},
		{"/proc/self/net/tcp6", net.IPv4(127, 0, 0, 1), true}, {"/proc/self/net/tcp6", net.IPv6zero, true},
	} {
		from, _ := entry(&net.TCPAddr{IP: at.ip, Port: port}, at.six)
		uid, inode, found := lookup(at.path, from, "", listening)
		if !found {
			continue
		}
		h := Holder{OtherUser: uid != os.Getuid()}
		process := peer{id: inode}.process()
		if process == "" {
			return h, nil // another user's: the kernel does not say more
		}
		h.PID, _ = strconv.Atoi(filepath.Base(process))
		h.Path = peer{id: inode}.program()
		command, err := os.ReadFile(filepath.Join(process, "cmdline"))
		if err == nil {
			h.Name = commonName(h.Path, string(command))
		}
		return h, nil
	}
	return Holder{}, ErrFree
}
