package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	sys "golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"senim/cms"
	"senim/internal/agent"
	"senim/internal/desktop"
	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/pkitest"
	"senim/internal/robot"
	"senim/internal/setup"
	"senim/pfx"
)

const (
	runKeyPath    = `Software\Microsoft\Windows\CurrentVersion\Run`
	uninstallPath = `Software\Microsoft\Windows\CurrentVersion\Uninstall\Senim`
	policies      = `SOFTWARE\Policies`
	site          = "https://portal.example.kz"
	signRequest   = `{"module":"kz.gov.pki.knca.basics","method":"sign","args":{"format":"cms","data":"MTEK","signingParams":{"decode":true,"encapsulate":true},"signerParams":{"extKeyUsageOids":[]},"locale":"ru"}}`
)

// person is where Windows keeps what is a person's own.
type person struct{ local, roaming, program string }

func thisPerson(t *testing.T) person {
	t.Helper()
	local, err := sys.KnownFolderPath(sys.FOLDERID_LocalAppData, 0)
	if err != nil {
		t.Fatal(err)
	}
	roaming, err := sys.KnownFolderPath(sys.FOLDERID_RoamingAppData, 0)
	if err != nil {
		t.Fatal(err)
	}
	return person{local, roaming, filepath.Join(local, "Programs", "Senim")}
}

// state is what an installation may change: values of the registry, roots of ours, files.
func (p person) state(t *testing.T) (list []string) {
	t.Helper()
	var keys func(root registry.Key, path string)
	keys = func(root registry.Key, path string) {
		k, err := registry.OpenKey(root, path, registry.QUERY_VALUE|registry.ENUMERATE_SUB_KEYS)
		if err != nil {
			return
		}
		defer func() { _ = k.Close() }()
		list = append(list, path)
		names, _ := k.ReadValueNames(-1)
		for _, name := range names {
			list = append(list, path+`\`+name)
		}
		below, _ := k.ReadSubKeyNames(-1)
		for _, name := range below {
			keys(root, path+`\`+name)
		}
	}
	keys(registry.CURRENT_USER, runKeyPath)
	keys(registry.LOCAL_MACHINE, runKeyPath)
	keys(registry.CURRENT_USER, filepath.Dir(uninstallPath))
	keys(registry.LOCAL_MACHINE, policies)
	keys(registry.CURRENT_USER, policies)
	for _, der := range p.roots(t) {
		if c, err := x509.ParseCertificate(der); err == nil && strings.HasPrefix(c.Subject.CommonName, agent.AuthorityPrefix) {
			list = append(list, "root "+c.Subject.CommonName)
		}
	}
	for _, dir := range []string{p.local, p.roaming} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() && strings.EqualFold(d.Name(), "Temp") {
				return fs.SkipDir
			}
			if err == nil {
				list = append(list, path)
			}
			return nil //nolint:nilerr // what goes meanwhile is no matter
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func (p person) roots(t *testing.T) [][]byte {
	t.Helper()
	m, err := setup.This(filepath.Join(p.roaming, "senim-agent"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := m.Roots.List()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func value(t *testing.T, path, name string) string {
	t.Helper()
	k, err := registry.OpenKey(registry.CURRENT_USER, path, registry.QUERY_VALUE)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return ""
	}
	defer func() { _ = k.Close() }()
	text, _, err := k.GetStringValue(name)
	if err != nil {
		t.Errorf(`%s\%s: %v`, path, name, err)
	}
	return text
}

// soon waits until something holds, a minute at most.
func soon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

func command(t *testing.T, program string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	return string(out), err
}

// started is an agent that was started with flags of its own, and says its windows.
type started struct {
	process *exec.Cmd
	windows chan string
}

func startAgent(t *testing.T, program string, args ...string) *started {
	t.Helper()
	s := &started{exec.Command(program, append([]string{"--headless", "--browser", "none"}, args...)...), make(chan string, 4)}
	out, err := s.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "listening ") {
	}
	if lines.Text() != "listening "+defaultListen {
		t.Fatalf("it says %q", lines.Text())
	}
	go func() {
		for lines.Scan() {
			if address, ok := strings.CutPrefix(lines.Text(), "window "); ok {
				s.windows <- address
			}
		}
	}()
	return s
}

// kill ends it as Windows ends programs.
func (s *started) kill() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

func (s *started) sign(t *testing.T, socket, name, password string) []byte {
	t.Helper()
	result, err := robot.NewAgent(socket, s.windows).Ask(t.Context(), site, signRequest, robot.Choice{Key: name, Password: password}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var made []string
	if err := json.Unmarshal([]byte(result), &made); err != nil || len(made) != 1 {
		t.Fatalf("%s %v", result, err)
	}
	der, err := cms.Decode([]byte(made[0]))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := cms.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	if verdicts, err := signed.Verify([]byte("11\n")); err != nil || len(verdicts) != 1 || verdicts[0].Err != nil {
		t.Errorf("%v %v", verdicts, err)
	}
	return []byte(made[0])
}

// act opens the next window as its page would, and decides once.
func act(t *testing.T, address string, file string, decision map[string]any) error {
	t.Helper()
	origin, token, _ := strings.Cut(address, "/#")
	var key string
	post := func(path string, in, out any) error {
		body, err := json.Marshal(in)
		if err != nil {
			return err
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, origin+path, bytes.NewReader(body))
		if err != nil {
			return err
		}
		for name, text := range map[string]string{"Content-Type": "application/json", "Origin": origin, "Sec-Fetch-Site": "same-origin", "X-Window-Key": key} {
			r.Header.Set(name, text)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		defer func() { _ = answer.Body.Close() }()
		b, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			return errors.Join(errors.New(string(b)), err)
		}
		return json.Unmarshal(b, out)
	}
	var open struct {
		Key  string     `json:"key"`
		View robot.View `json:"view"`
	}
	if err := post("/open", map[string]any{"token": token}, &open); err != nil {
		t.Fatal(err)
	}
	key = open.Key
	for _, k := range open.View.Keys {
		if filepath.Base(k.File) == file {
			decision["key"] = k.ID
		}
	}
	var ignored any
	err := post("/decide", decision, &ignored)
	if err != nil {
		_ = post("/cancel", map[string]any{}, &ignored)
	}
	return err
}

// talk is a native program's connection over TLS; without roots, those of Windows.
func talk(t *testing.T, roots *x509.CertPool) *websocket.Conn {
	t.Helper()
	config := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if roots == nil {
		// Windows judges the chain; an address it does not compare as browsers do.
		config.InsecureSkipVerify = true //nolint:gosec // it is verified below
		config.VerifyConnection = func(s tls.ConnectionState) error {
			between := x509.NewCertPool()
			for _, c := range s.PeerCertificates[1:] {
				between.AddCert(c)
			}
			_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Intermediates: between})
			return errors.Join(err, s.PeerCertificates[0].VerifyHostname("127.0.0.1"))
		}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config}}
	c, _, err := websocket.Dial(t.Context(), "wss://"+defaultListen, &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	if _, greeting, err := c.Read(t.Context()); err != nil || string(greeting) != `{"result":{"version":"1.4"}}` {
		t.Fatalf("%s %v", greeting, err)
	}
	return c
}

func request(t *testing.T, c *websocket.Conn, request string) string {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(request)); err != nil {
		t.Fatal(err)
	}
	_, b, err := c.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestInstalledOnWindows puts the installer's agent on this Windows, uses it as people and sites do, and takes it away: what was
// before is then there again, and nothing else. `make windows-test` runs it under Wine.
func TestInstalledOnWindows(t *testing.T) {
	installer := os.Getenv("SENIM_INSTALLER")
	if installer == "" {
		t.Skip("on a Windows of its own: make windows-test")
	}
	const password = "Qwerty12"
	p := thisPerson(t)
	// Every Windows has these two; Wine's does not when it is new.
	k, _, err := registry.CreateKey(registry.CURRENT_USER, filepath.Dir(uninstallPath), registry.QUERY_VALUE)
	if err := errors.Join(err, k.Close(), os.MkdirAll(filepath.Dir(p.program), 0o700)); err != nil {
		t.Fatal(err)
	}
	before := p.state(t)
	if slices.ContainsFunc(before, func(s string) bool { return strings.Contains(s, "Senim") }) {
		t.Fatal("an agent is here already")
	}
	if out, err := command(t, installer, "/S"); err != nil {
		t.Fatalf("%s %v", out, err)
	}
	program, data := filepath.Join(p.program, "senim-agent.exe"), filepath.Join(p.roaming, "senim-agent")

	// What it put.
	for _, path := range []string{program, filepath.Join(p.program, "senim-agentw.exe"), filepath.Join(p.program, "uninstall.exe"), filepath.Join(p.roaming, `Microsoft\Windows\Start Menu\Programs\Senim.lnk`)} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	if line := value(t, runKeyPath, "SenimAgent"); line != `"`+filepath.Join(p.program, "senim-agentw.exe")+`" "--wait"` {
		t.Errorf("the start at sign-in: %s", line)
	}
	if where, version := value(t, uninstallPath, "InstallLocation"), value(t, uninstallPath, "DisplayVersion"); where != p.program || version == "" {
		t.Errorf("the entry: %s %s", where, version)
	}
	text, err := os.ReadFile(filepath.Join(data, agent.AuthorityFile))
	if err != nil {
		t.Fatal(err)
	}
	authority, _ := pem.Decode(text)
	if !slices.ContainsFunc(p.roots(t), func(der []byte) bool { return bytes.Equal(der, authority.Bytes) }) {
		t.Error("the store of roots has no authority of ours")
	}
	for _, path := range []string{data, filepath.Join(data, agent.AuthorityKeyFile), filepath.Join(data, agent.AuthorityFile)} {
		if private, err := keystore.Private(path); err != nil || !private {
			t.Errorf("%s may be read by others: %v", path, err)
		}
	}
	for _, entry := range p.state(t) {
		if strings.HasPrefix(entry, policies) && !slices.Contains(before, entry) {
			t.Errorf("a policy nobody asked for: %s", entry)
		}
	}

	// What it started, over TLS that Windows itself trusts, and by the authority alone.
	soon(t, "the agent answers", func() bool { return setup.Probe(t.Context(), defaultListen).State == "ours" })
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	for name, roots := range map[string]*x509.CertPool{"Windows' roots": nil, "our authority": pool} {
		t.Run(name, func(t *testing.T) {
			c := talk(t, roots)
			for message, want := range map[string]string{
				`{"module":"kz.digiflow.mobile.extensions","method":"getVersion"}`:                   `{"success":false,"errorCode":"MODULE_NOT_FOUND"}`,
				`{"module":"kz.gov.pki.knca.commonUtils","method":"getActiveTokens"}`:                `{"responseObject":[],"code":"200"}`,
				`{"module":"kz.gov.pki.knca.commonUtils","method":"getKeyInfo","args":["No such"]}`:  `{"code":"500","message":"storage.unknown"}`,
				`{"module":"kz.gov.pki.knca.commonUtils","method":"signXml","args":["PKCS12",null]}`: `{"code":"500","message":"NoSuchMethodException signXml"}`,
			} {
				if got := request(t, c, message); got != want {
					t.Errorf("%s: %s", message, got)
				}
			}
		})
	}
	if out, err := command(t, program, "status", "--lang", "en"); err != nil {
		t.Errorf("status: %s %v", out, err)
	}
	if out, err := command(t, program, "doctor", "--lang", "en"); err != nil {
		t.Errorf("doctor: %s %v", out, err)
	}
	if out, err := command(t, program, "start"); err != nil {
		t.Errorf("a second start: %s %v", out, err)
	}
	if out, err := command(t, program, "--headless"); err != nil || !strings.Contains(out, "senim-agent") {
		t.Errorf("a second agent ends without harm: %s %v", out, err)
	}
	if out, err := command(t, program, "--headless", "--listen", "127.0.0.1:0"); err == nil {
		t.Errorf("a second agent works with the same folder: %s", out)
	}
	if out, err := command(t, program, "stop"); err != nil {
		t.Fatalf("stop: %s %v", out, err)
	}
	if got := setup.Probe(t.Context(), defaultListen).State; got != "free" {
		t.Errorf("after stop the port is %s", got)
	}

	// Keys with names as people give them; authorities in files as Windows' editors write them.
	home := t.TempDir()
	keys := filepath.Join(home, "Мои ключи ЭЦП", "ТОО «Ақ Жол» үшін", strings.Repeat("очень длинная папка ", 5)+"1", strings.Repeat("очень длинная папка ", 5)+"2")
	trusted, other := filepath.Join(home, "Доверенные центры"), filepath.Join(home, "Копии ключей")
	for _, dir := range []string{keys, trusted, other} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	ca := pkitest.New(t)
	leaf := ca.Individual()
	file, err := pfx.Encode(rand.Reader, pfx.File{Key: leaf.Key, Certificate: leaf.Certificate}, password, pfx.NCA)
	if err != nil {
		t.Fatal(err)
	}
	const name = "GOST512_0000000000000000000000000000000000000000.p12"
	inPEM := func(der []byte) []byte {
		return bytes.ReplaceAll(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), []byte("\n"), []byte("\r\n"))
	}
	for path, content := range map[string][]byte{
		filepath.Join(keys, name): file, filepath.Join(trusted, "корень.cer"): inPEM(ca.Root.Raw), filepath.Join(trusted, "ca.cer"): ca.CA.Raw, filepath.Join(trusted, "ca.crl"): ca.List(),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	flags := []string{"--keys", keys, "--trust", trusted}
	running := startAgent(t, program, flags...)
	made := running.sign(t, "ws://"+defaultListen, name, password)
	if out := os.Getenv("SENIM_SIGNATURE"); out != "" { // looked at by another program
		if err := errors.Join(os.WriteFile(out, made, 0o600), os.WriteFile(out+".root.cer", ca.Root.Raw, 0o600), os.WriteFile(out+".ca.cer", ca.CA.Raw, 0o600)); err != nil {
			t.Fatal(err)
		}
	}

	// A native program is named to the person by its path.
	c := talk(t, pool)
	replied := make(chan string, 1)
	go func() {
		replied <- request(t, c, `{"module":"kz.gov.pki.knca.commonUtils","method":"getKeyInfo","args":["PKCS12"]}`)
	}()
	var view json.RawMessage
	if err := robot.NewAgent("", running.windows).Window(t.Context(), robot.Choice{Key: name, Password: password}, func(v robot.View) { view, _ = json.Marshal(v) }); err != nil {
		t.Fatal(err)
	}
	if got := <-replied; !strings.Contains(got, `"alias"`) || !strings.Contains(got, `"code":"200"`) {
		t.Errorf("%s", got)
	}
	if self, err := os.Executable(); err != nil || !strings.Contains(string(view), filepath.Base(self)) {
		t.Logf("the window names %s", view)
	}

	// Killed in the middle of a window, and started again, it works on.
	c = talk(t, pool)
	if err := c.Write(t.Context(), websocket.MessageText, []byte(`{"module":"kz.gov.pki.knca.commonUtils","method":"getKeyInfo","args":["PKCS12"]}`)); err != nil {
		t.Fatal(err)
	}
	<-running.windows
	running.kill()
	running = startAgent(t, program, flags...)
	running.sign(t, "ws://"+defaultListen, name, password)

	// The password is changed, and a copy made, by commands that ask the agent which runs.
	perform := func(kind string, decision map[string]any) error {
		done := make(chan error, 1)
		go func() {
			out, err := command(t, program, append([]string{kind, "--browser", "none"}, flags...)...)
			if err != nil {
				err = errors.Join(err, errors.New(out))
			}
			done <- err
		}()
		select {
		case address := <-running.windows:
			decided := act(t, address, name, decision)
			return errors.Join(decided, <-done)
		case err := <-done:
			return errors.Join(errors.New("no window was opened"), err)
		}
	}
	if err := perform("password", map[string]any{"password": password, "newPassword": "Another12", "newPassword2": "Another12"}); err != nil {
		t.Fatal(err)
	}
	if err := perform("backup", map[string]any{"password": "Another12", "folder": other}); err != nil {
		t.Fatal(err)
	}
	if err := perform("backup", map[string]any{"password": "Another12", "folder": strings.ToUpper(keys)}); err == nil {
		t.Error("a copy in the folder of the file itself, by another case of its name")
	}
	for path, with := range map[string]string{filepath.Join(keys, name): "Another12", filepath.Join(keys, name+".old"): password, filepath.Join(other, name): "Another12"} {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pfx.Decode(content, with); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if private, err := keystore.Private(path); err != nil || !private {
			t.Errorf("%s may be read by others: %v", path, err)
		}
	}
	shut := filepath.Join(home, "Только чтение")
	if err := os.Mkdir(shut, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(readOnly(shut), os.Chmod(shut, 0o500)); err != nil { // Wine heeds the second
		t.Fatal(err)
	}
	if os.WriteFile(filepath.Join(shut, "x"), nil, 0o600) == nil {
		t.Log("whoever runs this may write everywhere: a folder for reading only was not tried")
	} else if err := perform("backup", map[string]any{"password": "Another12", "folder": shut}); err == nil {
		t.Error("a copy in a folder where nothing can be written")
	} else if left, err := os.ReadDir(shut); err != nil || len(left) > 0 {
		t.Errorf("left there: %v %v", left, err)
	}
	running.sign(t, "ws://"+defaultListen, name, "Another12")
	running.kill()

	// The end.
	if out, err := command(t, filepath.Join(p.program, "uninstall.exe"), "/S"); err != nil {
		t.Fatalf("%s %v", out, err)
	}
	soon(t, "the program is away", func() bool { _, err := os.Stat(p.program); return errors.Is(err, fs.ErrNotExist) })
	after := p.state(t)
	for _, entry := range after {
		if !slices.Contains(before, entry) {
			t.Errorf("left: %s", entry)
		}
	}
	for _, entry := range before {
		if !slices.Contains(after, entry) {
			t.Errorf("went: %s", entry)
		}
	}
	if content, err := os.ReadFile(filepath.Join(keys, name)); err != nil || len(content) == 0 {
		t.Errorf("the person's key went: %v", err)
	}
}

// readOnly lets the person read a folder and nobody write into it.
func readOnly(dir string) error {
	user, err := sys.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return err
	}
	descriptor, err := sys.SecurityDescriptorFromString("D:P(A;OICI;GRGX;;;" + user.User.Sid.String() + ")")
	if err != nil {
		return err
	}
	list, _, err := descriptor.DACL()
	if err != nil {
		return err
	}
	return sys.SetNamedSecurityInfo(dir, sys.SE_FILE_OBJECT, sys.DACL_SECURITY_INFORMATION|sys.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, list, nil)
}

// TestWindowsSpeaks: without a word in the environment the agent speaks as Windows does to this person.
func TestWindowsSpeaks(t *testing.T) {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		t.Setenv(name, "")
	}
	names := desktop.Languages()
	if len(names) == 0 {
		t.Fatal("Windows speaks no language")
	}
	if tag, known := lang.Parse(strings.ToLower(names[0][:2])); known && systemLanguage() != tag {
		t.Errorf("%s, and Windows speaks %s", systemLanguage(), names[0])
	}
}
