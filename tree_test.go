package senim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A layer may import every layer before it. The order is the policy.
const (
	mathematics = iota
	formats
	work
	edges
	wire
	helps // tests' help: anything may be imported, nothing but tests may import it
)

// place says where a package stands and what it may import beside the layers below.
type place struct {
	layer   int
	beside  string // packages of the same layer, space-separated
	modules string // other people's modules (prefixes)
}

// tree is the authority on the layers: a package that is not here does not exist.
// A new package is a new line, and so a decision that somebody reads.
var tree = map[string]place{
	"internal/ident/e164": {formats, "internal/ident", "github.com/nyaruka/phonenumbers"}, // the plans of the whole world, read at the start of who asks phones

	"gost":                {mathematics, "gost/internal/group gost/internal/field gost/streebog", ""},
	"gost/internal/group": {mathematics, "gost/internal/field", "golang.org/x/sys/cpu"},
	"gost/internal/field": {mathematics, "", "golang.org/x/sys/cpu"}, // what the processor has, before its assembly runs
	"gost/streebog":       {mathematics, "", "golang.org/x/sys/cpu"},
	"gost/gost94":         {mathematics, "gost/magma", ""},
	"gost/magma":          {mathematics, "", ""},

	"algid":              {formats, "internal/ber", "golang.org/x/crypto/cryptobyte"},
	"pki":                {formats, "algid internal/ber", "golang.org/x/crypto/cryptobyte"},
	"ocsp":               {formats, "pki algid internal/ber", "golang.org/x/crypto/cryptobyte"},
	"cms":                {formats, "pki algid internal/ber", "golang.org/x/crypto/cryptobyte"},
	"tsp":                {formats, "cms pki algid internal/ber", "golang.org/x/crypto/cryptobyte"},
	"cades":              {formats, "cms tsp ocsp pki algid", "golang.org/x/crypto/cryptobyte"},
	"pfx":                {formats, "pki algid internal/ber", "golang.org/x/crypto/cryptobyte"},
	"dsig":               {formats, "tsp pki algid", "golang.org/x/crypto/cryptobyte"},
	"jwt":                {formats, "pki algid", ""},
	"pades":              {formats, "cades cms tsp pki algid internal/ber internal/pdf", ""},
	"internal/ber":       {formats, "", "golang.org/x/crypto/cryptobyte"},
	"internal/pdf":       {formats, "", ""},
	"internal/ical":      {formats, "", ""},
	"internal/ident":     {formats, "", ""},
	"internal/paper":     {formats, "", ""},
	"internal/gsm":       {formats, "", "github.com/linxGnu/gosmpp/data github.com/rivo/uniseg"}, // GSM's alphabet is no point of ours; nor is where a letter as people see it ends
	"internal/lang":      {formats, "", "golang.org/x/text"},
	"internal/ncalayer":  {formats, "", ""},
	"internal/mgov":      {formats, "", ""},
	"internal/shares":    {formats, "", ""},
	"internal/sheet":     {formats, "", "codeberg.org/go-pdf/fpdf github.com/go-fonts/liberation"}, // laying out PDF is not our point; Liberation Sans (SIL OFL) has every Kazakh letter
	"internal/tlog":      {formats, "pki", "golang.org/x/crypto/cryptobyte golang.org/x/mod/sumdb github.com/transparency-dev/formats/log"},
	"internal/batchfile": {formats, "", ""},

	"internal/job":         {work, "", ""},
	"internal/audit":       {work, "", "github.com/transparency-dev/merkle golang.org/x/mod/sumdb/note"}, // Merkle roots and signed notes as every transparency log has them
	"internal/turn":        {work, "", ""},
	"internal/trust":       {work, "", ""},
	"internal/notice":      {work, "internal/job internal/audit", ""},
	"internal/registry":    {work, "internal/trust internal/job internal/audit", ""},
	"internal/tsa":         {work, "internal/audit", ""},
	"internal/profile":     {work, "", "go.yaml.in/yaml/v3"},
	"internal/weakkey":     {work, "", "github.com/titanous/rocacheck"},                                                                                         // one function: the mark of ROCA
	"internal/lint":        {work, "internal/profile", "github.com/zmap/zlint/v3 github.com/zmap/zcrypto/x509"},                                                 // other people's rules for RSA certificates; not on Windows
	"internal/ca":          {work, "internal/lint internal/profile internal/weakkey internal/audit internal/job internal/turn", "github.com/maypok86/otter/v2"}, // what is asked often stays in memory, whatever else is asked,
	"internal/access":      {work, "internal/job internal/audit", ""},
	"internal/auth":        {work, "internal/trust internal/audit", ""},
	"internal/qr":          {work, "internal/auth internal/trust internal/audit", ""},
	"internal/ra":          {work, "internal/trust internal/registry internal/notice internal/audit internal/job", ""},
	"internal/participant": {work, "internal/auth internal/trust internal/registry internal/notice internal/audit internal/job", "golang.org/x/crypto/argon2 github.com/trustelem/zxcvbn/frequency"}, // the list of common passwords is other people's
	"internal/relying":     {work, "internal/audit", ""},
	"internal/feed":        {work, "internal/audit internal/notice", "golang.org/x/mod/sumdb/note"}, // what was issued, to those it concerns

	"internal/store":      {edges, "", "modernc.org/sqlite github.com/jackc/pgx/v5 github.com/riverqueue/river"},
	"internal/vault":      {edges, "", ""},
	"internal/clock":      {edges, "", "github.com/beevik/ntp golang.org/x/sys/unix"}, // NTP is a protocol, not our point; the kernel's opinion of its own clock
	"internal/token":      {edges, "", ""},
	"internal/keyring":    {edges, "internal/vault internal/token", ""}, // a key's name says where it is
	"internal/filekeep":   {edges, "", ""},
	"internal/published":  {edges, "", ""},
	"internal/archive":    {edges, "", ""},
	"internal/restore":    {edges, "internal/archive internal/published internal/store", ""},
	"internal/logdir":     {edges, "", "github.com/transparency-dev/tessera golang.org/x/mod/sumdb/note"},
	"internal/ask":        {edges, "", ""},
	"internal/fetch":      {edges, "internal/ask", ""},
	"internal/revocation": {edges, "internal/ask", ""},
	"internal/state":      {edges, "", "github.com/maypok86/otter/v2 github.com/sony/gobreaker/v2 golang.org/x/sync/semaphore golang.org/x/text/language golang.org/x/time/rate"}, // breaker, memory, turns and rates of services that are not ours; countries
	"internal/trustdir":   {edges, "", ""},
	"internal/courier":    {edges, "", "github.com/wneessen/go-mail github.com/emersion/go-msgauth github.com/emersion/go-smtp github.com/linxGnu/gosmpp"},                    // SMTP, DKIM and SMPP are protocols, not our point
	"internal/desktop":    {edges, "", "fyne.io/systray github.com/gen2brain/beeep golang.org/x/sys/windows"},                                                                 // trays and notices are the systems' protocols, not our point
	"internal/keystore":   {edges, "internal/token", "github.com/pavlo-v-chernykh/keystore-go github.com/zalando/go-keyring golang.org/x/crypto/cryptobyte golang.org/x/sys"}, // Java's key files and the system's keychain are other people's
	"internal/setup":      {edges, "internal/agent internal/keystore internal/ncalayer/client", "golang.org/x/sys/windows howett.net/plist"},
	"internal/agent":      {edges, "internal/ask internal/cabinet/client internal/keystore internal/ncalayer/client internal/token internal/trustdir", "github.com/coder/websocket golang.org/x/crypto/cryptobyte golang.org/x/net/idna golang.org/x/net/publicsuffix golang.org/x/sys/windows"},
	"internal/limit":      {edges, "", ""},
	"internal/phone":      {edges, "", ""},
	"internal/web":        {edges, "internal/limit", "github.com/a-h/templ rsc.io/qr"}, // drawing a QR code is not our point
	"internal/web/assets": {edges, "", ""},
	"internal/mailbox":    {edges, "internal/web", "github.com/emersion/go-smtp github.com/a-h/templ"},
	"internal/cabinet":    {edges, "internal/web internal/limit internal/cabinet/client", "github.com/a-h/templ"},
	"internal/portal":     {edges, "internal/web internal/oidc internal/passkey internal/limit", "github.com/a-h/templ"},
	"internal/oidc":       {edges, "internal/web internal/limit", "github.com/a-h/templ github.com/ory/fosite github.com/go-jose/go-jose/v3"}, // OpenID Connect is a protocol, not our point
	"internal/passkey":    {edges, "", "github.com/go-webauthn/webauthn"},                                                                     // WebAuthn is a protocol, not our point
	"internal/desk":       {edges, "internal/web internal/limit", "github.com/a-h/templ"},
	"internal/responder":  {edges, "internal/limit", ""},
	"internal/ceremony":   {edges, "internal/store internal/vault internal/token internal/keyring", "go.yaml.in/yaml/v3"}, // plans that people write and review

	"internal/caapi":           {edges, "internal/limit", "github.com/danielgtaylor/huma/v2"}, // OpenAPI 3.1 from code, with validation
	"internal/caapi/client":    {edges, "", ""},                                               // what programs that call link: no server, no authority
	"internal/cabinet/client":  {edges, "", ""},                                               // the same of the cabinet
	"internal/ncalayer/client": {edges, "", "github.com/coder/websocket"},                     // what programs that ask a signing agent use

	"cmd/senimd":      {wire, "", "golang.org/x/sync/errgroup k8s.io/klog/v2 go.yaml.in/yaml/v3 github.com/prometheus/client_golang"}, // yaml: the list of desks; klog: what the log's library says; prometheus: figures for monitoring
	"cmd/senim":       {wire, "", "github.com/alecthomas/kong golang.org/x/term"},
	"cmd/senim-agent": {wire, "", ""},
	"cmd/senim-token": {wire, "", "github.com/miekg/pkcs11"}, // behind a build tag, and the only cgo

	"examples/relying-party": {wire, "", "github.com/coreos/go-oidc/v3 golang.org/x/oauth2"}, // what a service links: nothing of ours

	"internal/pkitest":         {helps, "", "golang.org/x/crypto/cryptobyte"},
	"internal/state/statetest": {helps, "", ""},
	"internal/store/storetest": {helps, "", "github.com/jackc/pgx/v5 github.com/google/go-cmp"},
	"internal/freeport":        {helps, "", ""},
	"internal/headless":        {helps, "", ""},
	"internal/robot":           {helps, "internal/freeport", "github.com/coder/websocket golang.org/x/net/html"},
	"tour":                     {helps, "internal/robot", ""},
	"load":                     {helps, "internal/robot", ""},
	"e2e":                      {helps, "internal/headless internal/robot", "github.com/chromedp"},
	"":                         {helps, "", ""},
}

// denied names standard packages a layer has no business with.
var denied = map[int][]string{
	mathematics: {"context", "os", "net", "net/http", "log", "log/slog", "database/sql", "time", "encoding/json"},
	formats:     {"context", "os", "net", "net/http", "log", "log/slog", "database/sql"},
	work:        {"os", "net", "net/http", "database/sql"},
}

// never lists what a program must not link, whoever would bring it along.
var never = map[string][]string{
	"cmd/senim-agent": {"github.com/nyaruka/phonenumbers", "senim/internal/store", "senim/internal/ca", "senim/internal/ra", "database/sql", "modernc.org/sqlite", "github.com/jackc/pgx/v5"},
	"cmd/senimd":      {"senim/internal/pkitest", "senim/internal/store/storetest", "github.com/miekg/pkcs11", "google.golang.org/grpc", "go.opentelemetry.io/otel/sdk", "github.com/gorilla/websocket"},
	"cmd/senim-token": {"senim/internal/store", "senim/internal/pkitest", "database/sql", "net/http"},
	"cmd/senim":       {"senim/internal/portal", "senim/internal/cabinet", "senim/internal/agent", "senim/internal/logdir", "github.com/danielgtaylor/huma/v2", "github.com/transparency-dev/tessera"},
}

type listed struct {
	ImportPath, Dir, Name string
	Standard              bool
	Imports, Deps         []string
	GoFiles               []string
}

func list(t *testing.T) map[string]listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Dir,Name,Standard,Imports,Deps,GoFiles", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string]listed{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		all[p.ImportPath] = p
	}
}

// inside gives a package's path in the module, and whether it is one of ours.
func inside(path string) (string, bool) {
	if path == "senim" {
		return "", true
	}
	return strings.CutPrefix(path, "senim/")
}

func TestTree(t *testing.T) {
	all := list(t)
	for path, p := range all {
		name, ours := inside(path)
		if !ours {
			continue
		}
		at, known := tree[name]
		if !known {
			t.Errorf("%s: stands in no layer: give it a line in tree_test.go", path)
			continue
		}
		for _, imp := range p.Imports {
			if breach := breach(all, name, at, imp); breach != "" {
				t.Errorf("%s imports %s: %s", path, imp, breach)
			}
		}
		if !documented(t, p) {
			t.Errorf("%s: has no package comment", path)
		}
	}
	for name := range tree {
		if _, ok := all[strings.TrimSuffix("senim/"+name, "/")]; !ok {
			t.Errorf("tree_test.go lists %q, and there is no such package", name)
		}
	}
}

// breach says why a package at a place must not import another, or "".
func breach(all map[string]listed, name string, at place, imp string) string {
	if other, ours := inside(imp); ours {
		to := tree[other]
		switch {
		case at.layer == helps:
		case to.layer == helps:
			return "only tests may import it"
		case strings.HasPrefix(other, name+"/") || slices.Contains(strings.Fields(at.beside), other):
		case to.layer >= at.layer:
			return "it is not below"
		}
		return ""
	}
	if all[imp].Standard || !strings.Contains(strings.Split(imp, "/")[0], ".") {
		if slices.Contains(denied[at.layer], imp) {
			return "not a package for this layer"
		}
		return ""
	}
	for _, m := range strings.Fields(at.modules) {
		if imp == m || strings.HasPrefix(imp, m+"/") {
			return ""
		}
	}
	return "this module is not allowed here: a module is a debt, say why in tree_test.go"
}

func documented(t *testing.T, p listed) bool {
	t.Helper()
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if f.Doc != nil && len(f.Doc.Text()) > 40 {
			return true
		}
	}
	return false
}

func TestProgramsLinkOnlyWhatTheyNeed(t *testing.T) {
	all := list(t)
	for name, forbidden := range never {
		for _, dep := range all["senim/"+name].Deps {
			for _, f := range forbidden {
				if dep == f || strings.HasPrefix(dep, f+"/") {
					t.Errorf("%s links %s", name, dep)
				}
			}
		}
	}
	// What only tests need comes into the server by one way: fosite's storage imports its own tests' help.
	for _, dep := range all["senim/cmd/senimd"].Deps {
		if slices.Contains(all[dep].Imports, "testing") && dep != "github.com/ory/fosite/internal" {
			t.Errorf("cmd/senimd links testing, by %s", dep)
		}
	}
}

// Fixtures and keys of the national PKI's test authority stay outside the repository, and so does
// everything else that is not ours to publish.
func TestNoKeyEntersTheRepository(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "git", "ls-files").Output()
	if err != nil {
		t.Skip("not a git checkout: cannot list the files that are kept")
	}
	for _, name := range strings.Fields(string(out)) {
		switch filepath.Ext(name) {
		case ".p12", ".pfx", ".p8", ".key", ".pem", ".cer", ".crt", ".crl", ".p7s", ".p10":
			t.Errorf("%s: keys, certificates and lists are made by tests or read from outside, never kept", name)
		}
		if info, err := os.Stat(name); err == nil && info.Size() > 1<<20 {
			t.Errorf("%s: %s", name, fmt.Sprintf("%d bytes; more than a mebibyte does not belong here", info.Size()))
		}
	}
}
