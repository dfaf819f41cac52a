package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// opensslConf loads gost-engine, which brings the keys and digests.
const opensslConf = `openssl_conf = all
[all]
engines = engines
[engines]
gost = gost
[gost]
engine_id = gost
default_algorithms = ALL
[req]
distinguished_name = dn
[dn]
`

// startOpenSSL makes an authority with gost-engine and runs openssl's own responder over its index,
// with the question its own client asks, nonce and all.
func startOpenSSL(ctx context.Context, r *runner, dir string) (*server, error) {
	at := func(name string) string { return filepath.Join(dir, "openssl-"+name) }
	if err := os.WriteFile(at("conf"), []byte(opensslConf), 0o600); err != nil {
		return nil, err
	}
	env := append(os.Environ(), "OPENSSL_CONF="+at("conf"))
	openssl := func(args ...string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, "openssl", args...) //nolint:gosec // our own arguments
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("%w: openssl %s (Debian: openssl, libengine-gost-openssl): %s", errNoPeer, args[0], firstLine(out))
		}
		return out, nil
	}
	const algorithm, digest = "gost2012_512", "-md_gost12_512"
	key := []string{"-newkey", algorithm, "-pkeyopt", "paramset:A", "-nodes", digest}
	for _, args := range [][]string{
		append([]string{"req", "-x509", "-config", at("conf"), "-subj", "/CN=ISSUING", "-keyout", at("ca.key"), "-out", at("ca.pem")}, key...),
		append([]string{"req", "-new", "-config", at("conf"), "-subj", "/CN=OCSP RESPONDER", "-keyout", at("ocsp.key"), "-out", at("ocsp.csr")}, key...),
		append([]string{"req", "-new", "-config", at("conf"), "-subj", "/CN=HOLDER", "-keyout", at("leaf.key"), "-out", at("leaf.csr")}, key...),
		{"x509", "-req", digest, "-in", at("ocsp.csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-set_serial", "2", "-out", at("ocsp.pem")},
		{"x509", "-req", digest, "-in", at("leaf.csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-set_serial", "0x" + hex.EncodeToString(bytes.Repeat([]byte{0x1a}, 20)), "-out", at("leaf.pem")},
		{"ocsp", "-sha256", "-issuer", at("ca.pem"), "-cert", at("leaf.pem"), "-reqout", at("question")},
	} {
		if _, err := openssl(args...); err != nil {
			return nil, err
		}
	}
	index := "V\t350101000000Z\t\t" + strings.Repeat("1A", 20) + "\tunknown\t/CN=HOLDER\n"
	if err := os.WriteFile(at("index"), []byte(index), 0o600); err != nil {
		return nil, err
	}
	der, err := os.ReadFile(at("question"))
	if err != nil {
		return nil, err
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	cmd := r.command(ctx, "openssl", "ocsp", "-port", strconv.Itoa(port), "-index", at("index"), "-CA", at("ca.pem"), "-rsigner", at("ocsp.pem"), "-rkey", at("ocsp.key"), "-nmin", "720", "-ignore_err")
	cmd.Env = env
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd, address: "127.0.0.1:" + strconv.Itoa(port), stop: func() { _ = cmd.Process.Kill(); _ = cmd.Wait() },
		question: fmt.Appendf(nil, "POST / HTTP/1.0\r\nHost: bench\r\nContent-Type: application/ocsp-request\r\nContent-Length: %d\r\n\r\n%s", len(der), der)}
	for range 100 {
		a := asker{address: s.address, apart: true}
		if err = a.ask(ctx, s.question); err == nil {
			return s, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	s.stop()
	return nil, fmt.Errorf("%w: openssl ocsp does not answer: %w", errNoPeer, err)
}

func freePort(ctx context.Context) (int, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().(*net.TCPAddr).Port, nil
}
