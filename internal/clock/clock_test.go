package clock_test

import (
	"context"
	"encoding/binary"
	"net"
	"testing"
	"time"

	"senim/internal/clock"
)

// server answers NTP with a time that is off by a duration; stratum 16 means not synchronised.
func server(t *testing.T, off time.Duration, stratum byte) string {
	t.Helper()
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		var q [48]byte
		for {
			_, from, err := conn.ReadFrom(q[:])
			if err != nil {
				return
			}
			var a [48]byte
			a[0], a[1], a[2], a[3] = 4<<3|4, stratum, 6, 0xec // version 4, server; poll; precision
			copy(a[12:16], "TEST")
			copy(a[24:32], q[40:48]) // originate: what the client sent
			now := time.Now().Add(off)
			stamp(a[16:24], now.Add(-time.Second))
			stamp(a[32:40], now)
			stamp(a[40:48], now)
			_, _ = conn.WriteTo(a[:], from)
		}
	}()
	return conn.LocalAddr().String()
}

func stamp(b []byte, at time.Time) {
	const since1900 = 2208988800
	binary.BigEndian.PutUint32(b, uint32(at.Unix()+since1900))
	binary.BigEndian.PutUint32(b[4:], uint32((int64(at.Nanosecond())<<32)/1e9))
}

func TestNTP(t *testing.T) {
	right, fast, slow := server(t, 0, 2), server(t, 10*time.Second, 2), server(t, -10*time.Second, 2)
	lost := server(t, 0, 16)
	silent, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	mute := silent.LocalAddr().String()
	for name, c := range map[string]struct {
		servers []string
		want    time.Duration
		fails   bool
	}{
		"one":                          {[]string{right}, 0, false},
		"one, ours slow by ten":        {[]string{fast}, 10 * time.Second, false},
		"one liar of three":            {[]string{right, right, fast}, 0, false},
		"the middle one":               {[]string{slow, right, fast}, 0, false},
		"one of three silent":          {[]string{right, right, mute}, 0, false},
		"half silent":                  {[]string{right, mute}, 0, true},
		"a server that is lost itself": {[]string{lost}, 0, true},
		"nobody":                       {[]string{mute}, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := clock.NTP{Servers: c.servers, Timeout: 500 * time.Millisecond}.Offset(context.Background())
			if (err != nil) != c.fails {
				t.Fatalf("error %v", err)
			}
			if !c.fails && (got-c.want).Abs() > 300*time.Millisecond {
				t.Errorf("offset %s, want about %s", got, c.want)
			}
		})
	}
}

func TestEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (clock.NTP{Servers: []string{server(t, 0, 2)}}).Offset(ctx); err == nil {
		t.Error("asked all the same")
	}
}

func TestParse(t *testing.T) {
	for _, good := range []string{"kernel", "trust", "ntp:a", "ntp:a,b:124,[::1]:123"} {
		if _, err := clock.Parse(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "ntp:", "ntp", "ntp:a,", "ntp:,a", "sundial"} {
		if _, err := clock.Parse(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if off, err := (clock.Trusted{}).Offset(t.Context()); off != 0 || err != nil {
		t.Error(off, err)
	}
}
