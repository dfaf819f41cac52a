// Package dist tests how the agent is packed: what is in a package, that it is the same bytes each time, and that the list
// of digests is signed so that anybody can check it. Whole packages are put on a clean system by `make install-test`.
package dist

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// top is the root of the project.
func top(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// need skips where a tool is missing.
func need(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("no %s here: tools/need.sh names the package", tool)
		}
	}
}

// sh runs a command line at the root of the project and gives what it wrote.
func sh(t *testing.T, line string, env ...string) string {
	t.Helper()
	out, err := try(t, line, env...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	return out
}

func try(t *testing.T, line string, env ...string) (string, error) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "sh", "-c", line)
	c.Dir, c.Env = top(t), append(append(os.Environ(), "LC_ALL=C"), env...)
	out, err := c.CombinedOutput()
	return string(out), err
}

// pack packs programs, which may be only a few bytes, in folders of their own, and gives the packages by the end of their names.
func pack(t *testing.T, age time.Duration, umask string, programs map[string][]byte) map[string]string {
	t.Helper()
	dir := t.TempDir()
	stage := filepath.Join(dir, "senim-agent-1.2.3-linux-amd64")
	authorities := filepath.Join(stage, "authorities")
	if err := errors.Join(os.Mkdir(stage, 0o700), os.Mkdir(authorities, 0o700), os.WriteFile(filepath.Join(authorities, "one.cer"), []byte("one"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for name, content := range programs {
		path := filepath.Join(stage, name)
		if err := errors.Join(os.WriteFile(path, content, 0o600), os.Chtimes(path, time.Time{}, time.Now().Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	sh(t, "umask "+umask+" && sh tools/dist/pack.sh '"+stage+"' amd64 1.2.3 '"+dir+"/out'", "SOURCE_DATE_EPOCH=1700000000")
	found, err := filepath.Glob(filepath.Join(dir, "out", "*"))
	if err != nil {
		t.Fatal(err)
	}
	packages := map[string]string{}
	for _, path := range found {
		packages[strings.TrimPrefix(filepath.Ext(path), ".")] = path
	}
	if len(packages) != 3 || packages["deb"] == "" || packages["rpm"] == "" || packages["gz"] == "" {
		t.Fatalf("%v", found)
	}
	return packages
}

const scripts = "senim-agent uninstall --system --everyone"

// TestPackages: two builds give the same bytes; in them is what is meant to be, with its modes, as root's; nothing is required
// beside a shell, nothing is a file of settings, and the one script is a shell's.
func TestPackages(t *testing.T) {
	need(t, "dpkg-deb", "rpm", "tar")
	for name, programs := range map[string]map[string][]byte{
		"without tokens": {"senim-agent": []byte("a program")}, "with tokens": {"senim-agent": []byte("a program"), "senim-token": []byte("another")},
	} {
		t.Run(name, func(t *testing.T) { checkPackages(t, programs) })
	}
}

func checkPackages(t *testing.T, programs map[string][]byte) {
	t.Helper()
	one, two := pack(t, 0, "022", programs), pack(t, 30*24*time.Hour, "077", programs)
	for kind, path := range one {
		a, err := os.ReadFile(path)
		b, fault := os.ReadFile(two[kind])
		if err = errors.Join(err, fault); err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: two builds differ: %v", kind, err)
		}
	}
	t.Run("deb", func(t *testing.T) { checkDeb(t, one["deb"], len(programs) > 1) })
	t.Run("rpm", func(t *testing.T) { checkRPM(t, one["rpm"], len(programs) > 1) })
	t.Run("tar", func(t *testing.T) { checkTar(t, one["gz"], len(programs) > 1) })
}

func checkDeb(t *testing.T, path string, tokens bool) {
	t.Helper()
	var list []string
	for line := range strings.Lines(sh(t, "dpkg-deb --contents "+path)) {
		if f := strings.Fields(line); !strings.HasSuffix(f[5], "/") { // folders are the system's
			list = append(list, strings.Join([]string{f[0], strings.Replace(f[1], "0/0", "root/root", 1), f[5]}, " "))
		} else if f[0] != "drwxr-xr-x" || f[1] != "root/root" {
			t.Errorf("a folder %s", line)
		}
	}
	want := []string{}
	if tokens {
		want = append(want, "-rwxr-xr-x root/root ./usr/bin/senim-token")
	}
	same(t, list, append(want, "-rwxr-xr-x root/root ./usr/bin/senim-agent", "-rw-r--r-- root/root ./usr/share/applications/senim-agent.desktop",
		"-rw-r--r-- root/root ./usr/share/doc/senim-agent/README.txt", "-rw-r--r-- root/root ./usr/share/icons/hicolor/scalable/apps/senim-agent.svg",
		"-rw-r--r-- root/root ./usr/share/senim-agent/authorities/one.cer",
		"-rw-r--r-- root/root ./usr/share/man/man1/senim-agent.1.gz", "-rw-r--r-- root/root ./usr/share/metainfo/kz.senim.agent.metainfo.xml",
		"-rw-r--r-- root/root ./usr/share/doc/senim-agent/copyright", "-rw-r--r-- root/root ./usr/share/doc/senim-agent/changelog.Debian.gz", "-rw-r--r-- root/root ./usr/share/lintian/overrides/senim-agent")...)
	for field, want := range map[string]string{"Depends": "", "Pre-Depends": "", "Recommends": "libnss3-tools", "Architecture": "amd64", "Version": "1.2.3-1", "Package": "senim-agent"} {
		if got := strings.TrimSpace(sh(t, "dpkg-deb --field "+path+" "+field)); got != want {
			t.Errorf("%s: %q", field, got)
		}
	}
	control := filepath.Join(t.TempDir(), "control")
	sh(t, "dpkg-deb --control "+path+" "+control)
	entries, err := os.ReadDir(control)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	same(t, names, "control", "md5sums", "prerm") // no conffiles
	sh(t, "sh -n "+control+"/prerm && test -x "+control+"/prerm && grep -q '"+scripts+"' "+control+"/prerm")
}

func checkRPM(t *testing.T, path string, tokens bool) {
	t.Helper()
	query := func(q string) []string {
		t.Helper()
		return strings.Split(strings.TrimSpace(sh(t, "rpm --dbpath "+t.TempDir()+" -qp "+q+" "+path+" 2>/dev/null")), "\n")
	}
	want := []string{}
	if tokens {
		want = append(want, "-rwxr-xr-x root/root /usr/bin/senim-token")
	}
	same(t, query(`--qf '[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILENAMES}\n]'`), append(want, "drwxr-xr-x root/root /usr/share/doc/senim-agent", "-rwxr-xr-x root/root /usr/bin/senim-agent", "-rw-r--r-- root/root /usr/share/applications/senim-agent.desktop",
		"-rw-r--r-- root/root /usr/share/doc/senim-agent/README.txt", "-rw-r--r-- root/root /usr/share/icons/hicolor/scalable/apps/senim-agent.svg",
		"drwxr-xr-x root/root /usr/share/senim-agent", "drwxr-xr-x root/root /usr/share/senim-agent/authorities", "-rw-r--r-- root/root /usr/share/senim-agent/authorities/one.cer",
		"-rw-r--r-- root/root /usr/share/man/man1/senim-agent.1.gz", "-rw-r--r-- root/root /usr/share/metainfo/kz.senim.agent.metainfo.xml",
		"drwxr-xr-x root/root /usr/share/licenses/senim-agent", "-rw-r--r-- root/root /usr/share/licenses/senim-agent/LICENSES.txt")...)
	for _, required := range query("--requires") {
		if required != "" && !strings.HasPrefix(required, "rpmlib(") && required != "/bin/sh" {
			t.Errorf("requires %q", required)
		}
	}
	same(t, query("--recommends"), "nss-tools")
	same(t, query(`--qf '%{LICENSE} %{PACKAGER} %{CHANGELOGNAME}'`), "LicenseRef-Senim Senim <senim@localhost> Senim <senim@localhost> - 0.1.0-1")
	if got := query("--configfiles"); len(got) != 1 || got[0] != "" {
		t.Errorf("%q", got)
	}
	same(t, query(`--qf '%{BUILDHOST} %{BUILDTIME} %{VERSION}'`), "senim 1700000000 1.2.3")
	script := filepath.Join(t.TempDir(), "script")
	sh(t, "rpm -qp --qf '%{PREUN}' "+path+" 2>/dev/null >"+script+" && sh -n "+script+" && grep -q '"+scripts+"' "+script)
	for _, tag := range []string{"PREIN", "POSTIN", "POSTUN", "PRETRANS", "POSTTRANS"} {
		if got := query("--qf '%{" + tag + "}'"); got[0] != "(none)" {
			t.Errorf("%s: %q", tag, got)
		}
	}
}

func checkTar(t *testing.T, path string, tokens bool) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 || h.Uname+h.Gname != "" || h.ModTime.Unix() != 1700000000 {
			t.Errorf("%+v", h)
		}
		list = append(list, h.FileInfo().Mode().String()+" "+h.Name)
	}
	const name = "senim-agent-1.2.3-linux-amd64/"
	want := []string{}
	if tokens {
		want = append(want, "-rwxr-xr-x "+name+"senim-token")
	}
	same(t, list, append(want, "drwxr-xr-x "+name, "-rwxr-xr-x "+name+"senim-agent", "-rw-r--r-- "+name+"README.txt", "-rw-r--r-- "+name+"senim-agent.desktop", "-rw-r--r-- "+name+"senim-agent.svg",
		"drwxr-xr-x "+name+"authorities/", "-rw-r--r-- "+name+"authorities/one.cer",
		"-rw-r--r-- "+name+"senim-agent.1.gz", "-rw-r--r-- "+name+"kz.senim.agent.metainfo.xml", "-rw-r--r-- "+name+"LICENSES.txt")...)
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestMenuEntry: the entry of the menu is one by the desktops' own checker.
func TestMenuEntry(t *testing.T) {
	need(t, "desktop-file-validate")
	sh(t, "desktop-file-validate tools/dist/senim-agent.desktop")
}

// TestSoftwareCentre: what centres of software show is right by AppStream's own checker, and is about the version that is built.
func TestSoftwareCentre(t *testing.T) {
	need(t, "appstreamcli")
	sh(t, "appstreamcli validate --no-net tools/dist/kz.senim.agent.metainfo.xml")
	version := strings.TrimSpace(sh(t, "go run ./cmd/senim-agent version"))
	for _, name := range []string{"kz.senim.agent.metainfo.xml", "changelog.yaml"} {
		b, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(b), version) {
			t.Errorf("%s says nothing of version %s: %v", name, version, err)
		}
	}
}

// TestManual: the manual page is one without a complaint of its own checker.
func TestManual(t *testing.T) {
	need(t, "man")
	if out := sh(t, "man --warnings=all -l tools/dist/senim-agent.1 2>&1 >/dev/null"); out != "" {
		t.Error(out)
	}
}

// TestLicenses: what is linked goes with its licences, for each system, and nothing of the machine that built it.
func TestLicenses(t *testing.T) {
	for _, system := range []string{"linux amd64", "windows amd64", "darwin arm64"} {
		path := filepath.Join(t.TempDir(), "LICENSES.txt")
		sh(t, "sh tools/dist/licenses.sh "+system+" "+path)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"---- The Go standard library", "---- golang.org/x/crypto v", "---- github.com/coder/websocket v", "Redistribution and use"} {
			if !strings.Contains(string(b), want) {
				t.Errorf("%s: no %q", system, want)
			}
		}
		if home, err := os.UserHomeDir(); err == nil && len(home) > 1 && strings.Contains(string(b), home+"/") {
			t.Errorf("%s: a path of this machine", system)
		}
	}
}

// TestJudgedByDistributions: lintian finds nothing in the .deb but that nobody answers for it yet.
func TestJudgedByDistributions(t *testing.T) {
	if _, err := exec.LookPath("lintian"); err != nil {
		t.Skip("no lintian here (Debian: apt install lintian): the .deb was not judged")
	}
	deb := pack(t, 0, "022", map[string][]byte{"senim-agent": []byte("a program")})["deb"]
	out, _ := try(t, "lintian --allow-root --fail-on none --info --no-cfg "+deb)
	for line := range strings.Lines(out) {
		if (strings.HasPrefix(line, "E:") || strings.HasPrefix(line, "W:")) && !strings.Contains(line, "bogus-mail-host") &&
			!strings.Contains(line, "executable-not-elf") && !strings.Contains(line, "mismatched-override") && !strings.Contains(line, "unused-override") { // the program of this test is none
			t.Errorf("%s", line)
		}
	}
}

// TestWindowsInstaller: the installer is made without a warning, and twice the same.
func TestWindowsInstaller(t *testing.T) {
	need(t, "makensis")
	t.Run("without authorities", func(t *testing.T) { installer(t, "") })
	t.Run("with authorities and tokens", func(t *testing.T) { installer(t, "-DTOKENS -DAUTHORITIES ") })
}

func installer(t *testing.T, define string) {
	t.Helper()
	var made [2][]byte
	for i := range made {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "authorities"), 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"senim-agent.exe", "senim-agentw.exe", "senim-token.exe", "README.txt", "LICENSES.txt", "authorities/one.cer"} {
			path := filepath.Join(dir, name)
			if err := errors.Join(os.WriteFile(path, []byte(name), 0o600), os.Chtimes(path, time.Time{}, time.Unix(1700000000, 0))); err != nil {
				t.Fatal(err)
			}
		}
		sh(t, "makensis -V2 -WX "+define+"-DVERSION=1.2.3 -DSTAGE="+dir+" -DOUT="+dir+"/out.exe tools/dist/senim-agent.nsi")
		b, err := os.ReadFile(filepath.Join(dir, "out.exe"))
		if err != nil {
			t.Fatal(err)
		}
		made[i] = b
	}
	if !bytes.Equal(made[0], made[1]) {
		t.Error("two builds differ")
	}
}

// TestInstallerTakesBack: whatever the installer puts on Windows, its uninstaller takes away, and no jump goes over a number of
// instructions: a call of a plug-in is several.
func TestInstallerTakesBack(t *testing.T) {
	b, err := os.ReadFile("senim-agent.nsi")
	if err != nil {
		t.Fatal(err)
	}
	put, take, ok := strings.Cut(string(b), `Section "Uninstall"`)
	if !ok {
		t.Fatal("no uninstaller")
	}
	for line := range strings.Lines(put) {
		want := ""
		switch f := strings.Fields(line); {
		case len(f) < 2:
		case f[0] == "File":
			want = `Delete "$INSTDIR\` + strings.ReplaceAll(strings.TrimPrefix(strings.Trim(f[1], `"`), "${STAGE}/"), "/", `\`) + `"`
		case f[0] == "CreateShortcut", f[0] == "WriteUninstaller":
			want = "Delete " + f[1]
		case strings.HasPrefix(f[0], "WriteReg"):
			want = "DeleteRegKey " + f[1] + " " + f[2]
		case f[0] == "SetOutPath":
			want = "RMDir " + f[1]
		}
		if !strings.Contains(take, want) {
			t.Errorf("%sis not taken back by %s", line, want)
		}
	}
	for line := range strings.Lines(string(b)) {
		for _, word := range strings.Fields(line) {
			if strings.HasPrefix(word, "+") || strings.HasPrefix(word, "-") && strings.Trim(word, "-0123456789") == "" {
				t.Errorf("a jump by number: %s", line)
			}
		}
	}
}

// TestPropertyList: the description of the application for macOS is a property list: names and values in turn.
func TestPropertyList(t *testing.T) {
	f, err := os.Open("Info.plist")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var list struct {
		XMLName xml.Name `xml:"plist"`
		Version string   `xml:"version,attr"`
		Dict    struct {
			Items []struct {
				XMLName xml.Name
				Text    string `xml:",chardata"`
			} `xml:",any"`
		} `xml:"dict"`
	}
	if err := xml.NewDecoder(f).Decode(&list); err != nil || list.Version != "1.0" {
		t.Fatalf("%v %q", err, list.Version)
	}
	values := map[string]string{}
	for i := 0; i+1 < len(list.Dict.Items); i += 2 {
		key, value := list.Dict.Items[i], list.Dict.Items[i+1]
		if _, twice := values[key.Text]; key.XMLName.Local != "key" || value.XMLName.Local == "key" || twice {
			t.Errorf("%v %v", key, value)
		}
		values[key.Text] = value.XMLName.Local + " " + value.Text
	}
	if len(list.Dict.Items)%2 != 0 || values["CFBundleExecutable"] != "string senim-agent" || values["LSUIElement"] != "true " || values["CFBundleIdentifier"] != "string kz.senim.agent" {
		t.Errorf("%v", values)
	}
	if tool, err := exec.LookPath("plistutil"); err == nil {
		sh(t, tool+" -i tools/dist/Info.plist -o /dev/null")
	}
}

// TestSignedDigests: the list of digests is signed by the operator's key and by no other kind of key; a changed list, another
// key's and a signature for another purpose are refused by the command that people are told.
func TestSignedDigests(t *testing.T) {
	need(t, "ssh-keygen")
	dir := t.TempDir()
	list := filepath.Join(dir, "SHA256SUMS")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("00  senim-agent\n")
	for name, kind := range map[string]string{"operator": "ed25519", "other": "ed25519", "rsa": "rsa -b 2048"} {
		sh(t, "ssh-keygen -q -N '' -C '' -t "+kind+" -f "+dir+"/"+name)
	}
	sh(t, `printf 'senim namespaces="senim-dist" %s\n' "$(cat `+dir+`/operator.pub)" >`+dir+`/senim.signers`)
	verify := "cd " + dir + " && ssh-keygen -Y verify -f senim.signers -I senim -n senim-dist -s SHA256SUMS.sig <SHA256SUMS"
	sign := func(key string) error {
		t.Helper()
		_, err := try(t, "sh tools/dist/sign.sh "+list, "SENIM_DIST_KEY="+filepath.Join(dir, key))
		return err
	}
	if err := sign("operator"); err != nil {
		t.Fatal(err)
	}
	sh(t, verify)
	write("01  senim-agent\n")
	if out, err := try(t, verify); err == nil {
		t.Errorf("a changed list is accepted: %s", out)
	}
	if err := sign("other"); err != nil {
		t.Fatal(err)
	}
	if out, err := try(t, verify); err == nil {
		t.Errorf("another key is accepted: %s", out)
	}
	sh(t, "cd "+dir+" && rm -f SHA256SUMS.sig && ssh-keygen -q -Y sign -f operator -n file SHA256SUMS")
	if out, err := try(t, verify); err == nil {
		t.Errorf("a signature for something else is accepted: %s", out)
	}
	sh(t, "mkdir "+dir+"/half && cp "+dir+"/operator.pub "+dir+"/half")
	for _, key := range []string{"rsa", "missing", "half/operator.pub"} { // nobody holds the other half
		if err := os.RemoveAll(list + ".sig"); err != nil {
			t.Fatal(err)
		}
		if err := sign(key); err == nil {
			t.Errorf("%s signs", key)
		}
		if _, err := os.Stat(list + ".sig"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s left a signature: %v", key, err)
		}
	}
}

// TestTokensInPackages: senim-token is in the packages beside the agent, needs nothing but the C library, and signs there with
// a key on a token.
func TestTokensInPackages(t *testing.T) {
	need(t, "dpkg-deb", "rpm2cpio", "cpio", "tar", "readelf", "softhsm2-util")
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("what is packed is run: Linux on amd64")
	}
	dir := t.TempDir()
	sh(t, "CGO_ENABLED=0 go build -trimpath -o "+dir+"/senim-agent ./cmd/senim-agent && sh tools/dist/token.sh linux amd64 "+dir+"/senim-token")
	programs := map[string][]byte{}
	for _, name := range []string{"senim-agent", "senim-token"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) {
			t.Skip("there is no C compiler here: a package has no tokens then")
		}
		if err != nil {
			t.Fatal(err)
		}
		programs[name] = b
	}
	packages := pack(t, 0, "022", programs)
	sh(t, "mkdir "+dir+"/deb "+dir+"/rpm "+dir+"/gz && dpkg-deb -x "+packages["deb"]+" "+dir+"/deb && cd "+dir+"/rpm && rpm2cpio "+packages["rpm"]+" | cpio -id --quiet --no-absolute-filenames && tar -xzf "+packages["gz"]+" -C "+dir+"/gz --strip-components=1")
	sh(t, "go test -c -o "+dir+"/signs ./cmd/senim-agent")
	for kind, place := range map[string]string{"deb": "/usr/bin", "rpm": "/usr/bin", "gz": ""} {
		sh(t, "find "+dir+"/"+kind+" -name one.cer -delete") // it is none
		at := filepath.Join(dir, kind, place)
		for line := range strings.Lines(sh(t, "readelf -d "+at+"/senim-token")) {
			if strings.Contains(line, "(NEEDED)") && !strings.Contains(line, "[libc.so.6]") {
				t.Errorf("%s needs %s", kind, line)
			}
		}
		// Debian 12 and Ubuntu 22.04 have what it asks of the C library.
		for _, f := range strings.Fields(sh(t, "readelf -V "+at+"/senim-token")) {
			if version, ok := strings.CutPrefix(f, "GLIBC_2."); ok {
				if n, err := strconv.ParseFloat(version, 64); err != nil || n > 34 {
					t.Errorf("%s needs %s: doc/agent-install.md says 2.34", kind, f)
				}
			}
		}
		out := sh(t, "cd cmd/senim-agent && "+dir+"/signs -test.run '^TestInstalledTokens$' -test.v", "SENIM_INSTALLED="+at+"/senim-agent", "SENIM_INSTALLED_LISTEN=127.0.0.1:0")
		if !strings.Contains(out, "--- PASS: TestInstalledTokens") {
			t.Errorf("%s: %s", kind, out)
		}
	}
}

// TestTokensElsewhere: where there is no C compiler for a system, dist says that its package has no tokens, and goes on; where there is
// one, what is built asks Windows for its own libraries alone, and starts under Wine where that is installed.
func TestTokensElsewhere(t *testing.T) {
	dir := t.TempDir()
	if runtime.GOOS != "darwin" {
		out := sh(t, "sh tools/dist/token.sh darwin arm64 "+dir+"/mac")
		if _, err := os.Stat(filepath.Join(dir, "mac")); !strings.Contains(out, "darwin/arm64 have NO TOKENS") || !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s %v", out, err)
		}
	}
	need(t, "x86_64-w64-mingw32-gcc")
	sh(t, "sh tools/dist/token.sh windows amd64 "+dir+"/senim-token.exe")
	for line := range strings.Lines(sh(t, "x86_64-w64-mingw32-objdump -p "+dir+"/senim-token.exe")) {
		if _, name, ok := strings.Cut(line, "DLL Name: "); ok && !slices.Contains([]string{"KERNEL32.dll", "msvcrt.dll"}, strings.TrimSpace(name)) {
			t.Errorf("it needs %s", name)
		}
	}
	need(t, "wine")
	wine := []string{"WINEPREFIX=" + dir + "/wine", "WINEDEBUG=-all"}
	system := dir + "/wine/drive_c/windows/system32/bcryptprimitives.dll"
	sh(t, "wineboot -i >/dev/null 2>&1; wineserver -w; test -f "+system+" || x86_64-w64-mingw32-gcc -shared -O2 -o "+system+" tools/dist/testdata/prng.c -ladvapi32", wine...)
	// What it is asked for here is no request, and it says so; then what is no driver.
	out, err := try(t, "printf 'no' | wine "+dir+"/senim-token.exe", wine...)

	if err == nil || !strings.Contains(out, "senim-token: serve token:") {
		t.Errorf("%s %v", out, err)
	}
	request := `{"op":"look","module":"C:\\nowhere.dll"}`
	out, err = try(t, "printf '\\000\\000\\000\\"+strconv.FormatInt(int64(len(request)), 8)+"%s' '"+request+"' | wine "+dir+"/senim-token.exe", wine...)
	if err != nil || !strings.Contains(out, "cannot be loaded as a PKCS #11 driver") {
		t.Errorf("%s %v", out, err)
	}
}
