package agent

import (
	"bytes"
	"encoding/binary"
	"net"
	"reflect"
	"slices"
	"testing"
)

// pcbRecord is a record of the table of macOS, as XNU writes it.
func pcbRecord(kind, size uint32, fill func(b []byte)) []byte {
	b := make([]byte, (size+7)&^7)
	binary.LittleEndian.PutUint32(b, size)
	binary.LittleEndian.PutUint32(b[4:], kind)
	if fill != nil {
		fill(b)
	}
	return b
}

// pcbEntry is what XNU writes of one socket: sizes are those of macOS 13.
func pcbEntry(from, to net.TCPAddr, flags byte, uid, pid uint32) []byte {
	put := func(b []byte, ip net.IP) {
		if v4 := ip.To4(); v4 != nil {
			copy(b[12:16], v4)
			return
		}
		copy(b[:16], ip)
	}
	return slices.Concat(
		pcbRecord(0x010, 104, func(b []byte) {
			binary.BigEndian.PutUint16(b[16:], uint16(to.Port))
			binary.BigEndian.PutUint16(b[18:], uint16(from.Port))
			b[44] = flags
			put(b[48:], to.IP)
			put(b[64:], from.IP)
		}),
		pcbRecord(0x001, 76, func(b []byte) {
			binary.LittleEndian.PutUint32(b[64:], uid)
			binary.LittleEndian.PutUint32(b[68:], pid)
		}),
		pcbRecord(0x002, 36, nil), pcbRecord(0x004, 36, nil), pcbRecord(0x008, 136, nil), pcbRecord(0x020, 204, nil))
}

func pcbGeneration() []byte { return pcbRecord(2, 24, nil) }

// TestPCBs: the client's end of a connection is told from the server's, by both addresses; who listens is found; a table
// that is not as it should be gives nobody.
func TestPCBs(t *testing.T) {
	four, six := net.IPv4(127, 0, 0, 1), net.IPv6loopback
	at := func(ip net.IP, port int) net.TCPAddr { return net.TCPAddr{IP: ip, Port: port} }
	table := slices.Concat(pcbGeneration(),
		pcbEntry(at(four, 13579), at(four, 50000), 1, 501, 10), // the agent's own end
		pcbEntry(at(four, 50000), at(four, 13579), 1, 501, 20),
		pcbEntry(at(four, 50000), at(four, 13580), 1, 502, 21),
		pcbEntry(at(six, 50001), at(six, 13579), 2, 502, 30),
		pcbEntry(at(net.IPv6zero, 8080), at(net.IPv6zero, 0), 3, 0, 40),
		pcbEntry(at(four, 13579), at(net.IPv4zero, 0), 1, 501, 10),
		pcbGeneration())
	list := readPCBs(table)
	if len(list) != 6 {
		t.Fatalf("%d sockets", len(list))
	}
	for _, c := range []struct {
		remote, local net.TCPAddr
		uid, pid      int
		found         bool
	}{
		{at(four, 50000), at(four, 13579), 501, 20, true},
		{at(six, 50001), at(six, 13579), 502, 30, true},
		{at(four, 50001), at(four, 13579), 0, 0, false}, // the same ports, another family
		{at(four, 50002), at(four, 13579), 0, 0, false},
	} {
		s, found := between(list, &c.remote, &c.local)
		if found != c.found || s.uid != c.uid || s.pid != c.pid {
			t.Errorf("%v: %+v %v", &c.remote, s, found)
		}
	}
	for port, pid := range map[int]int{13579: 10, 8080: 40, 50000: 0} {
		if s, found := listens(list, port); s.pid != pid || found != (pid != 0) {
			t.Errorf("%d: %+v %v", port, s, found)
		}
	}
	remote, local := at(four, 50000), at(four, 13579)
	for name, b := range map[string][]byte{
		"nothing": nil, "another head": append([]byte{16}, table[1:]...), "cut": table[:24+200],
		"too long":          slices.Concat(pcbGeneration(), pcbRecord(0x010, 1<<17, nil)),
		"without sockets":   slices.Concat(pcbGeneration(), pcbRecord(0x010, 104, nil), pcbRecord(0x010, 104, nil)),
		"of another layout": slices.Concat(pcbGeneration(), pcbRecord(0x001, 68, nil), pcbRecord(0x010, 76, nil), pcbGeneration()),
	} {
		if s, found := between(readPCBs(b), &remote, &local); found {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// TestProcArgs: the path and the arguments of a process of macOS, and never its environment.
func TestProcArgs(t *testing.T) {
	b := slices.Concat([]byte{3, 0, 0, 0}, []byte("/usr/bin/java\x00\x00\x00\x00java\x00-jar\x00/opt/ncalayer.jar\x00SECRET=1\x00"))
	path, command := readProcArgs(b)
	if path != "/usr/bin/java" || command != "java\x00-jar\x00/opt/ncalayer.jar\x00" || commonName(path, command) != "NCALayer" {
		t.Errorf("%q %q", path, command)
	}
	for _, b := range [][]byte{nil, {1, 0}, {1, 0, 0, 0}, {1, 0, 0, 0, 0}, []byte("\x09\x00\x00\x00/x\x00a\x00")} {
		if path, command := readProcArgs(b); command != "" || path != "" && path != "/x" {
			t.Errorf("%q: %q %q", b, path, command)
		}
	}
}

func FuzzPCBs(f *testing.F) {
	f.Add(slices.Concat(pcbGeneration(), pcbEntry(net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, net.TCPAddr{IP: net.IPv4zero}, 1, 501, 1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if list := readPCBs(b); len(list) > len(b)/152 {
			t.Errorf("%d sockets in %d bytes", len(list), len(b))
		}
		_, _ = readProcArgs(b)
	})
}

// TestLsofBetween: where lsof stands in, the same end is found by its own form of addresses.
func TestLsofBetween(t *testing.T) {
	list := readLsof(bytes.ReplaceAll([]byte("p42;cGoogle Chrome Helper;u501;f20;n127.0.0.1:50000->127.0.0.1:13579;p43;csenim-agent;u501;f7;n127.0.0.1:13579->127.0.0.1:50000;p44;cx;u502;f1;n[::1]:50001->[::1]:13579;"), []byte(";"), []byte("\n")))
	got, found := lsofBetween(list, &net.TCPAddr{IP: net.IPv6loopback, Port: 50001}, &net.TCPAddr{IP: net.IPv6loopback, Port: 13579})
	if want := (pcbSocket{uid: 502, pid: 44}); !found || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v %v", got, found)
	}
	if s, _ := lsofBetween(list, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 50000}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 13579}); s.pid != 42 {
		t.Errorf("%+v", s)
	}
}
