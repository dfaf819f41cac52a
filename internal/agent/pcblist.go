package agent

import (
	"bytes"
	"encoding/binary"
	"net"
)

// pcbSocket is a TCP socket in the table of macOS.
type pcbSocket struct {
	local, remote net.TCPAddr // of a socket that listens the remote port is 0
	uid           int         // of who made it
	pid           int         // of who used it last
}

// Kinds of records of the table net.inet.tcp.pcblist_n. For each socket there is one of each, and others that are passed over.
const (
	pcbSocketRecord   = 0x001 // struct xsocket_n
	pcbInternetRecord = 0x010 // struct xinpcb_n
)

// readPCBs reads the table: records that begin with their length and kind, each padded to 8 bytes, packed to 4 inside,
// numbers in the machine's order, which is little-endian on every Mac there is. Before and after them stands a struct
// xinpgen. What does not look like this gives nothing: then nobody can be told, and nobody is let in.
func readPCBs(b []byte) []pcbSocket {
	word := binary.LittleEndian.Uint32
	if len(b) < 24 || word(b) != 24 {
		return nil
	}
	var list []pcbSocket
	var now pcbSocket
	var seen uint32
	for b = b[24:]; len(b) >= 8; {
		size, kind := int(word(b)), word(b[4:])
		if size <= 24 {
			break // the end
		}
		padded := (size + 7) &^ 7
		if size > 1<<16 || padded > len(b) {
			return nil
		}
		switch {
		case kind == pcbInternetRecord && size >= 80:
			if seen&kind != 0 {
				return nil // two of one socket: it is not the table we know
			}
			now.remote = net.TCPAddr{Port: int(binary.BigEndian.Uint16(b[16:]))}
			now.local = net.TCPAddr{Port: int(binary.BigEndian.Uint16(b[18:]))}
			switch flags := b[44]; { // a socket may be of both until it is connected
			case flags&2 != 0:
				now.remote.IP, now.local.IP = bytes.Clone(b[48:64]), bytes.Clone(b[64:80])
			case flags&1 != 0:
				now.remote.IP, now.local.IP = bytes.Clone(b[60:64]), bytes.Clone(b[76:80])
			}
			seen |= kind
		case kind == pcbSocketRecord && size >= 72:
			if seen&kind != 0 {
				return nil
			}
			now.uid, now.pid = int(int32(word(b[64:]))), int(int32(word(b[68:])))
			seen |= kind
		}
		if seen == pcbSocketRecord|pcbInternetRecord {
			list, now, seen = append(list, now), pcbSocket{}, 0
		}
		b = b[padded:]
	}
	return list
}

// between finds the socket remote→local.
func between(list []pcbSocket, remote, local *net.TCPAddr) (pcbSocket, bool) {
	for _, s := range list {
		if s.local.Port == remote.Port && s.remote.Port == local.Port && s.local.IP.Equal(remote.IP) && s.remote.IP.Equal(local.IP) {
			return s, true
		}
	}
	return pcbSocket{}, false
}

// listens finds who listens on a port of 127.0.0.1, by its own address or by that of all.
func listens(list []pcbSocket, port int) (pcbSocket, bool) {
	for _, s := range list {
		if s.remote.Port == 0 && s.local.Port == port && (s.local.IP.Equal(net.IPv4(127, 0, 0, 1)) || s.local.IP.IsUnspecified()) {
			return s, true
		}
	}
	return pcbSocket{}, false
}

// readProcArgs reads kern.procargs2 of a process of macOS: how many arguments there are, the path of the program, padding,
// and the arguments, each ended by a zero; after them stands the environment, which is left alone.
func readProcArgs(b []byte) (path, command string) {
	if len(b) < 4 {
		return "", ""
	}
	count := binary.LittleEndian.Uint32(b)
	end := bytes.IndexByte(b[4:], 0)
	if end <= 0 {
		return "", ""
	}
	path = string(b[4 : 4+end])
	rest := bytes.TrimLeft(b[4+end:], "\x00")
	at := 0
	for ; count > 0; count-- {
		next := bytes.IndexByte(rest[at:], 0)
		if next < 0 {
			return path, ""
		}
		at += next + 1
	}
	return path, string(rest[:at])
}
