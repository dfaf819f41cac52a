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
		uid, inode, found := lookup(table.path, from, to)
		if !found {
			continue
		}
		if uid != os.Getuid() {
			return peer{}, errOtherUser
		}
		return peer{inode: inode}, nil
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

func lookup(path, from, to string) (uid int, inode string, found bool) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", false
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[1] != from || fields[2] != to || fields[3] != "01" { // established
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
	if p.inode == "" {
		return ""
	}
	want := "socket:[" + p.inode + "]"
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return ""
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == want {
			exe, err := os.Readlink(filepath.Join(filepath.Dir(filepath.Dir(link)), "exe"))
			if err != nil {
				return ""
			}
			return exe
		}
	}
	return ""
}
