package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Units of rows about servers. A request is counted against the CPU time of the server alone, user and
// system, so that the one who asks, on another core, costs nothing.
const perCPU = "req/CPU-s"

// Peers of servers.
const (
	bareHTTP    = "bare net/http"
	opensslOCSP = "openssl ocsp"
)

// served is a row about one of our servers and what it is held against.
type served struct {
	name, text string
	ours, peer string  // modes of program serve, or opensslOCSP
	apart      bool    // a connection for each question, whatever the server would do
	target     float64 // 0 is none
}

var servers = []served{
	{"ocsp-kept", "OCSP answer at hand, by GET, over connections that are kept, as a CDN asks", "kept", bareHTTP, false, 0.85},
	{"ocsp-live", "OCSP answer signed with GOST-512, with a nonce; the connection is kept by who can, which openssl cannot", "live", opensslOCSP, false, 2.2},
	{"ocsp-live-apart", "the same, a connection for each question", "live", opensslOCSP, true, 0},
}

// Load of the rows: enough for the server to be always busy.
const (
	askers = 8
	most   = 256 // MiB while a million serials are asked
)

// serverRows measures all of them, ours and the peer in turn, round by round.
func serverRows(ctx context.Context, o options, r *runner, dir string) ([]result, error) {
	path := filepath.Join(dir, "serve")
	build := exec.CommandContext(ctx, "go", "build", "-o", path, "./serve") //nolint:gosec // our own programs and arguments
	build.Dir, build.Stderr = filepath.Join(o.root, "tools", "bench"), os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("build serve: %w", err)
	}
	start := func(mode string) (*server, error) {
		switch mode {
		case opensslOCSP:
			return startOpenSSL(ctx, r, dir)
		case bareHTTP:
			mode = "bare"
		}
		return startOurs(ctx, r, path, "-what", mode)
	}
	var rows []result
	for _, w := range servers {
		ours, peers, missing, err := sideBySide(ctx, o, start, w)
		if err != nil {
			return nil, err
		}
		note := ""
		if missing != nil {
			note = missing.Error()
		}
		rows = append(rows, judge(wanted{name: w.name, text: w.text, peer: peerOperation{w.peer, ""}, unit: perCPU, target: w.target, must: w.target > 0},
			median(ours), median(peers), note))
		fmt.Fprintf(os.Stderr, "%s: %.0f and %.0f\n", w.name, ours, peers)
	}
	size, err := memory(ctx, r, path, o.serials)
	if err != nil {
		return nil, err
	}
	rows = append(rows, judge(wanted{name: "ocsp-million", text: "memory of a responder while a million certificates are asked for, each once", unit: mebibytes, target: most, must: true}, &size, nil, ""))
	agent, err := agentRows(ctx, o, r, dir)
	return append(rows, agent...), err
}

// errNoPeer is that the other server cannot be had here.
var errNoPeer = errors.New("no peer")

// sideBySide runs both servers and asks them in turn, a short while each, so that what disturbs one
// disturbs the other.
func sideBySide(ctx context.Context, o options, start func(string) (*server, error), w served) (ours, peers []float64, missing, err error) {
	one, err := start(w.ours)
	if err != nil {
		return nil, nil, nil, err
	}
	defer one.stop()
	other, err := start(w.peer)
	if errors.Is(err, errNoPeer) {
		missing = err
	} else if err != nil {
		return nil, nil, nil, err
	} else {
		defer other.stop()
	}
	for round := range o.rounds + 1 { // the first warms up
		v, err := one.measure(ctx, o, w.apart)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("%s: %w", w.ours, err)
		}
		p := 0.0
		if missing == nil {
			if p, err = other.measure(ctx, o, w.apart); err != nil {
				return nil, nil, nil, fmt.Errorf("%s: %w", w.peer, err)
			}
		}
		if round > 0 {
			ours = append(ours, v)
			if missing == nil {
				peers = append(peers, p)
			}
		}
	}
	return ours, peers, missing, nil
}

// measure returns requests for each second of the server's time.
func (s *server) measure(ctx context.Context, o options, apart bool) (float64, error) {
	before := s.cpu()
	n, err := s.load(ctx, apart, max(2*o.each, 600*time.Millisecond))
	if err != nil {
		return 0, err
	}
	used := s.cpu() - before
	if used <= 0 {
		return 0, errors.New("used no time")
	}
	return float64(n) / used.Seconds(), nil
}

// server is a running one.
type server struct {
	cmd      *exec.Cmd
	address  string
	question []byte
	name     []byte // hashes in questions, for other serials
	key      []byte
	stop     func()
}

func startOurs(ctx context.Context, r *runner, path string, args ...string) (*server, error) {
	cmd := r.command(ctx, path, args...)
	cmd.Stderr, cmd.Env = os.Stderr, append(os.Environ(), "GOMAXPROCS=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd, stop: func() { _ = in.Close(); _ = cmd.Wait() }}
	var said struct {
		Address  string
		Question []byte
		Name     []byte `json:"name_hash"`
		Key      []byte `json:"key_hash"`
	}
	if err := json.NewDecoder(out).Decode(&said); err != nil {
		s.stop()
		return nil, fmt.Errorf("serve says nothing: %w", err)
	}
	s.address, s.question, s.name, s.key = said.Address, said.Question, said.Name, said.Key
	return s, nil
}

// load asks as many times as can be in a time, from several sides, and returns how often it was.
func (s *server) load(ctx context.Context, apart bool, d time.Duration) (int, error) {
	end := time.Now().Add(d)
	counts, failed := make([]int, askers), make([]error, askers)
	var group sync.WaitGroup
	for i := range askers {
		group.Go(func() {
			a := asker{address: s.address, apart: apart}
			defer a.close()
			for time.Now().Before(end) && ctx.Err() == nil {
				if err := a.ask(ctx, s.question); err != nil {
					failed[i] = err
					return
				}
				counts[i]++
			}
		})
	}
	group.Wait()
	n := 0
	for _, c := range counts {
		n += c
	}
	return n, errors.Join(append(failed, ctx.Err())...)
}

// asker is one who asks, over one connection or over one for each question.
type asker struct {
	address string
	apart   bool
	conn    net.Conn
	in      *bufio.Reader
}

func (a *asker) close() {
	if a.conn != nil {
		_ = a.conn.Close()
		a.conn = nil
	}
}

func (a *asker) ask(ctx context.Context, question []byte) error {
	if a.conn == nil {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", a.address)
		if err != nil {
			return err
		}
		a.conn, a.in = c, bufio.NewReader(c)
	}
	if _, err := a.conn.Write(question); err != nil {
		return err
	}
	resp, err := http.ReadResponse(a.in, nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if a.apart || resp.Close {
		a.close()
	}
	if len(body) < 100 || string(body[4:7]) != "\x0a\x01\x00" { // OCSPResponseStatus successful
		return fmt.Errorf("%s with %d bytes that are no answer", resp.Status, len(body))
	}
	return nil
}

// cpu is the time the server has used, user and system, to the tick of the kernel.
func (s *server) cpu() time.Duration {
	data, err := os.ReadFile("/proc/" + itoa(s.cmd.Process.Pid) + "/stat")
	if err != nil {
		return 0
	}
	return parseCPU(string(data))
}

// parseCPU reads fields 14 and 15, behind the name in parentheses; a tick is a hundredth of a second on Linux.
func parseCPU(stat string) time.Duration {
	f := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(f) < 13 {
		return 0
	}
	user, err1 := strconv.Atoi(f[11])
	system, err2 := strconv.Atoi(f[12])
	if err1 != nil || err2 != nil {
		return 0
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// serversOnly prints the rows about servers.
func serversOnly(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "senim-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	rows, err := serverRows(ctx, o, newRunner(), dir)
	if err != nil {
		return err
	}
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(rows)
}
