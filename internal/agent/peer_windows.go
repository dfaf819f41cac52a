package agent

import (
	"encoding/binary"
	"errors"
	"net"
	"unsafe"

	"golang.org/x/sys/windows"
)

// row is one socket of the system's tables.
type row struct {
	state         uint32
	local, remote net.TCPAddr
	pid           uint32
}

// States of a socket in the tables of Windows.
const (
	listening   = 2
	established = 5
)

var tcpTable = windows.NewLazySystemDLL("iphlpapi.dll").NewProc("GetExtendedTcpTable")

// table reads all TCP sockets with their processes, of one address family.
func table(family uint32) ([]byte, error) {
	const ownerAll = 5 // TCP_TABLE_OWNER_PID_ALL
	size := uint32(64 << 10)
	for range 8 { // the table may grow between two calls
		b := make([]byte, size)
		code, _, _ := tcpTable.Call(uintptr(unsafe.Pointer(&b[0])), uintptr(unsafe.Pointer(&size)), 0, uintptr(family), ownerAll, 0) //nolint:gosec // a call of the system takes addresses
		switch windows.Errno(code) {
		case windows.NO_ERROR:
			return b, nil
		case windows.ERROR_INSUFFICIENT_BUFFER:
			continue
		}
		return nil, windows.Errno(code)
	}
	return nil, errors.New("the table of sockets grows faster than it can be read")
}

// rows parses both tables: a number of rows, then rows of 24 or 56 bytes. Ports stand in the order of
// the network in the low half of a word.
func rows() ([]row, error) {
	var all []row
	four, err := table(windows.AF_INET)
	if err != nil {
		return nil, err
	}
	port := func(b []byte) int { return int(binary.BigEndian.Uint16(b)) }
	word := binary.LittleEndian.Uint32
	for b, n := four[4:], word(four); n > 0 && len(b) >= 24; b, n = b[24:], n-1 {
		all = append(all, row{
			word(b), net.TCPAddr{IP: net.IP(b[4:8]), Port: port(b[8:])}, net.TCPAddr{IP: net.IP(b[12:16]), Port: port(b[16:])}, word(b[20:]),
		})
	}
	six, err := table(windows.AF_INET6)
	if err != nil {
		return all, nil //nolint:nilerr // a machine without IPv6
	}
	for b, n := six[4:], word(six); n > 0 && len(b) >= 56; b, n = b[56:], n-1 {
		all = append(all, row{
			word(b[48:]), net.TCPAddr{IP: net.IP(b[0:16]), Port: port(b[20:])}, net.TCPAddr{IP: net.IP(b[24:40]), Port: port(b[44:])}, word(b[52:]),
		})
	}
	return all, nil
}

// owner finds the socket remote→local and compares its user with ours.
func owner(remote, local *net.TCPAddr) (peer, error) {
	all, err := rows()
	if err != nil {
		return peer{}, errCannotTell
	}
	for _, r := range all {
		if r.state != established || r.local.Port != remote.Port || r.remote.Port != local.Port || !r.local.IP.Equal(remote.IP) || !r.remote.IP.Equal(local.IP) {
			continue
		}
		mine, path, err := process(r.pid)
		switch {
		case err != nil:
			return peer{}, errCannotTell
		case !mine:
			return peer{}, errOtherUser
		}
		return peer{id: path}, nil
	}
	return peer{}, errCannotTell
}

// process compares the user of a process with ours, and names its program ("" when it cannot be told). Both are
// asked of one handle, which keeps its number from being given to another. A process that may not be opened is
// not ours.
func process(pid uint32) (mine bool, path string, err error) {
	handle, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return false, "", err
	}
	defer func() { _ = windows.CloseHandle(handle) }()
	var token windows.Token
	if err := windows.OpenProcessToken(handle, windows.TOKEN_QUERY, &token); err != nil {
		return false, image(handle), err
	}
	defer func() { _ = token.Close() }()
	theirs, err := token.GetTokenUser()
	if err != nil {
		return false, image(handle), err
	}
	ours, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return false, image(handle), err
	}
	return theirs.User.Sid.Equals(ours.User.Sid), image(handle), nil
}

// image is the path of a process's program, "" when it cannot be told.
func image(process windows.Handle) string {
	name := make([]uint16, windows.MAX_LONG_PATH)
	n := uint32(len(name))
	if windows.QueryFullProcessImageName(process, 0, &name[0], &n) != nil {
		return ""
	}
	return windows.UTF16ToString(name[:n])
}

func (p peer) program() string { return p.id }

func (p peer) image() string { return p.id }

func holder(port int) (Holder, error) {
	all, err := rows()
	if err != nil {
		return Holder{}, errCannotTell
	}
	for _, r := range all {
		if r.state != listening || r.local.Port != port || !r.local.IP.IsLoopback() && !r.local.IP.IsUnspecified() {
			continue
		}
		mine, path, err := process(r.pid)
		other := errors.Is(err, windows.ERROR_ACCESS_DENIED) || err == nil && !mine
		return Holder{PID: int(r.pid), Path: path, Name: commonName(path, ""), OtherUser: other}, nil
	}
	return Holder{}, ErrFree
}
