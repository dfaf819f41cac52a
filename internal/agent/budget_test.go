package agent

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"senim/internal/ncalayer"
)

// narrow gives an agent little room: 2.5 MiB in all, 1.75 MiB to an origin.
func narrow(b *bench, patience, whole time.Duration) {
	b.agent.budget = newBudget()
	b.agent.budget.most, b.agent.budget.mostOrigin = 5<<19, 7<<18
	b.agent.budget.patience, b.agent.budget.whole = patience, whole
}

func (b *budget) counted() (all int64, origins int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all, len(b.origins)
}

// ofSize is a request that keeps so many bytes until its window ends.
func ofSize(n int) string {
	return commonCall("createCAdESFromBase64", `"PKCS12","SIGNATURE",`+quote(base64.StdEncoding.EncodeToString(make([]byte, n/4*3)))+`,false`)
}

// TestHostileMemory: what all connections hold together is bounded. A large message that finds no room is
// refused with 1013; small ones of anybody and heartbeats pass meanwhile, and room comes back.
func TestHostileMemory(t *testing.T) {
	b := bring(t)
	narrow(b, 50*time.Millisecond, time.Minute)
	first := b.dial(page)
	const large = 900 << 10 // takes 1.5 MiB while its buffer grows, then 1 MiB
	first.send(ofSize(large))
	h := b.window()
	busy := func(origin string, n int) {
		t.Helper()
		s := b.dial(origin)
		_ = s.c.Write(t.Context(), websocket.MessageText, []byte(ofSize(n))) // it may be cut off
		if _, _, err := s.c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusTryAgainLater {
			t.Errorf("%d of %s: %v", n, origin, err)
		}
	}
	busy(page, large) // the origin's part is used up
	waiting := b.dial("https://other.kz")
	waiting.send(ofSize(large))
	becomes(t, func() bool { return b.agent.desk.queue() == 1 })
	busy("https://another.kz", large) // so is what all have together
	if got := first.ask("--heartbeat--"); got != "--heartbeat--" {
		t.Errorf("%s", got)
	}
	for _, origin := range []string{page, "https://another.kz", ""} {
		if got := b.dial(origin).ask(`{"module":"x","a":"` + strings.Repeat("a", 100<<10) + `"}`); got != notFound {
			t.Errorf("%q: a small request: %s", origin, got)
		}
	}
	// Many that begin a message and stop: their parts are small or they are refused.
	var all []*websocket.Conn
	for range 8 {
		c := b.dial("https://third.kz").c
		w, err := c.Writer(t.Context(), websocket.MessageText)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(make([]byte, 600<<10)) // it may be cut off
		all = append(all, c)
	}
	if held, _ := b.agent.budget.counted(); held > 5<<19 {
		t.Errorf("%d bytes are held", held)
	}
	for _, c := range all {
		_ = c.CloseNow()
	}
	h.cancel()
	if got := first.read(); !strings.Contains(got, "action.canceled") {
		t.Errorf("%s", got)
	}
	b.window().cancel()
	waiting.read()
	first.send(ofSize(large))
	b.window().cancel()
	first.read()
	_ = first.c.CloseNow()
	_ = waiting.c.CloseNow()
	becomes(t, func() bool { held, origins := b.agent.budget.counted(); return held == 0 && origins == 0 })
}

// becomes waits for a condition.
func becomes(t *testing.T, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); {
		if time.Now().After(end) {
			t.Fatal("it does not become so")
		}
		runtime.Gosched()
	}
}

// TestHostileSlowMessage: a message that is begun and not ended does not keep its room.
func TestHostileSlowMessage(t *testing.T) {
	b := bring(t)
	narrow(b, time.Minute, 50*time.Millisecond)
	c := b.dial(page).c
	w, err := c.Writer(t.Context(), websocket.MessageText)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = w.Write(make([]byte, 600<<10)); err == nil { // a slow machine hears of the end while it writes
		_, _, err = c.Read(t.Context())
	}
	if err == nil {
		t.Error("it is waited for")
	}
	becomes(t, func() bool { held, _ := b.agent.budget.counted(); return held == 0 })
}

// TestBudgetWaits: who waits goes on when there is room, and what fits passes who waits.
func TestBudgetWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget()
		one, two, three := share{origin: "a"}, share{origin: "b"}, share{origin: "c"}
		if err := b.take(t.Context(), &one, ownShare+maxHeldOrigin); err != nil {
			t.Fatal(err)
		}
		if err := b.take(t.Context(), &one, 1); !errors.Is(err, errBusy) {
			t.Errorf("above the part of an origin: %v", err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := b.take(t.Context(), &two, 64<<20); err != nil {
				t.Errorf("who waited: %v", err)
			}
		})
		synctest.Wait()
		if err := b.take(t.Context(), &three, 16<<20); err != nil {
			t.Errorf("what fits waits: %v", err)
		}
		b.leave(&one)
		wg.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.take(ctx, &one, 96<<20); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		b.leave(&two)
		b.leave(&three)
		if all, origins := b.counted(); all != 0 || origins != 0 {
			t.Errorf("%d bytes of %d origins are left", all, origins)
		}
	})
}

// TestReceive: a message is read whole, however it comes, and what is counted is what it takes.
func TestReceive(t *testing.T) {
	for _, n := range []int{0, 1, 511, 512, 513, 4095, 4096, 4097, 8192, 100_000} {
		want := bytes.Repeat([]byte{'x'}, n)
		for name, r := range map[string]io.Reader{"whole": bytes.NewReader(want), "bytes": iotest.OneByteReader(bytes.NewReader(want)), "with its end": iotest.DataErrReader(bytes.NewReader(want))} {
			b, s := newBudget(), share{}
			got, err := b.receive(t.Context(), &s, r, func() {})
			if err != nil || !bytes.Equal(got, want) || s.held != int64(cap(got)) || cap(got) > max(4096, 2*n) {
				t.Errorf("%d %s: %d of %d, %d counted, %v", n, name, len(got), cap(got), s.held, err)
			}
		}
	}
	b, s := newBudget(), share{}
	if _, err := b.receive(t.Context(), &s, io.MultiReader(strings.NewReader(strings.Repeat("x", 5000)), iotest.ErrReader(io.ErrUnexpectedEOF)), func() {}); err == nil || s.held != 0 {
		t.Errorf("a message cut off: %v, %d counted", err, s.held)
	}
}

// TestHostileConnections: connections are bounded by the domain and in all too; who comes when all places are taken gets that of
// one at rest, of those who have most.
func TestHostileConnections(t *testing.T) {
	b := bring(t)
	crowd := func(domain string, names int) (all []*socket) {
		for i := range maxDomainSockets {
			all = append(all, b.dial("https://a"+strconv.Itoa(i%names)+"."+domain))
		}
		return all
	}
	first := crowd("evil.kz", 8)
	if _, err := b.try("https://b.evil.kz"); err == nil {
		t.Error("more connections than the bound of a domain")
	}
	asks := first[0] // it asks, and waits for the person; the others never asked but the second
	asks.send(commonCall("getKeyInfo", `"PKCS12"`))
	h := b.window()
	first[1].ask(commonCall("getActiveTokens", ""))
	first[2].send(ncalayer.Heartbeat)
	first[2].read()
	all := first
	for _, domain := range []string{"worse.kz", "worst.kz", "evil.gov.kz"} {
		all = append(all, crowd(domain, 2)...)
	}
	// All places are taken: those who have most give theirs, until nobody has more than the newcomer.
	var late []*socket
	for i := range 8 {
		late = append(late, b.dial("https://egov"+strconv.Itoa(i)+".kz"))
	}
	gone := make(chan websocket.StatusCode, len(all))
	for _, s := range all[2:] {
		go func() {
			_, _, err := s.c.Read(context.WithoutCancel(t.Context()))
			gone <- websocket.CloseStatus(err)
		}()
	}
	for range late {
		if status := <-gone; status != websocket.StatusTryAgainLater {
			t.Errorf("a connection ends with %d", status)
		}
	}
	for i, s := range late {
		if got := s.ask(commonCall("getActiveTokens", "")); got != `{"responseObject":[],"code":"200"}` {
			t.Errorf("%d: %s", i, got)
		}
	}
	if got := first[1].ask(commonCall("getActiveTokens", "")); got != `{"responseObject":[],"code":"200"}` {
		t.Errorf("who asked: %s", got)
	}
	h.cancel()
	if got := asks.read(); got != canceledCommon {
		t.Errorf("who waits for the person: %s", got)
	}
	select {
	case status := <-gone:
		t.Errorf("one more ended, with %d", status)
	default:
	}
	for _, s := range append(all, late...) {
		_ = s.c.CloseNow()
	}
	becomes(t, func() bool {
		b.agent.mu.Lock()
		defer b.agent.mu.Unlock()
		return len(b.agent.origins) == 1 && len(b.agent.seats) == 0 // one was sent away
	})
}

// TestRoomAmongEquals: where nobody has more than another, only who never asked anything gives way.
func TestRoomAmongEquals(t *testing.T) {
	b := bring(t)
	ended := 0
	place := func(i int) int {
		p, status := b.agent.connect("https://s" + strconv.Itoa(i) + ".kz")
		if p != nil {
			p.asked, p.end = i != 7, func() { ended = i }
		}
		return status
	}
	for i := range maxAllSockets {
		if status := place(i); status != 0 {
			t.Fatalf("%d: %d", i, status)
		}
	}
	if status := place(maxAllSockets); status != 0 || ended != 7 {
		t.Errorf("%d, %d gave way", status, ended)
	}
	if status := place(maxAllSockets + 1); status != http.StatusServiceUnavailable || len(b.agent.seats) != maxAllSockets {
		t.Errorf("%d", status)
	}
}

// TestHostileOpenConnections: so are those that never become sockets.
func TestHostileOpenConnections(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	m := newMux(ctx, mux{Listener: l, log: slog.New(slog.DiscardHandler), most: 4})
	server := &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(m) }()
	defer func() { cancel(); _ = server.Close(); <-done }()
	open := func() (c net.Conn, answered bool) {
		t.Helper()
		if c, err = net.Dial("tcp", l.Addr().String()); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n") // it may be closed by now
		n, _ := c.Read(make([]byte, 1))
		return c, n == 1
	}
	var all []net.Conn
	for range 4 {
		c, answered := open()
		if !answered {
			t.Error("too few connections")
		}
		all = append(all, c)
	}
	c, answered := open()
	if answered {
		t.Error("more connections than the bound")
	}
	_ = c.Close()
	_ = all[0].Close()
	becomes(t, func() bool {
		c, answered := open()
		all = append(all, c)
		return answered
	})
	for _, c := range all {
		_ = c.Close()
	}
}
