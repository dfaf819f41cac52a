package profile

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"senim/pki"
)

// Every built-in profile is in order, and its text gives it again.
func TestNCARoundTrip(t *testing.T) {
	set := NCA()
	for _, name := range set.Names() {
		p := set[name]
		if err := p.Check(); err != nil {
			t.Error(err)
		}
		var text bytes.Buffer
		if err := p.Write(&text); err != nil {
			t.Fatal(err)
		}
		file := "profiles:\n  " + strings.ReplaceAll(strings.Replace(text.String(), name+":", "copy:", 1), "\n", "\n  ")
		got, err := Read([]byte(file), NCA())
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, file)
			continue
		}
		want := p
		want.Name = "copy"
		if d := cmp.Diff(want, got["copy"]); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestReadChanges(t *testing.T) {
	for name, file := range map[string]string{
		"YAML": "profiles:\n  individual: {file_days: 730}\n  auditor: {like: employee, usage: [emailProtection, legal, employee, 1.2.3.4]}\nretired: [manager]\n",
		"JSON": `{"retired": ["manager"], "profiles": {"individual": {"file_days": 730}, "auditor": {"like": "employee", "usage": ["emailProtection", "legal", "employee", "1.2.3.4"]}}}`,
	} {
		base := NCA()
		set, err := Read([]byte(file), base)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(NCA(), base); d != "" {
			t.Errorf("%s: the base was changed: %s", name, d)
		}
		if set["individual"].FileDays != 730 || set["individual"].CarrierDays != 1095 || !set["individual"].HasUsage(pki.EmailProtection) {
			t.Errorf("%s: %+v", name, set["individual"])
		}
		if a := set["auditor"]; len(a.Usage) != 4 || a.Title != "auditor" || a.FileDays != 365 {
			t.Errorf("%s: %+v", name, a)
		}
		if _, ok := set["manager"]; ok || len(set) != len(base) {
			t.Errorf("%s: %d profiles", name, len(set))
		}
		if set.Digest() == base.Digest() || set["individual"].Digest() == base["individual"].Digest() || set["head"].Digest() != base["head"].Digest() {
			t.Errorf("%s: digests", name)
		}
	}
}

// Every mistake is refused, and named with its profile and field.
func TestReadRefuses(t *testing.T) {
	for _, tt := range []struct{ file, want string }{
		{"", "not a YAML document"},
		{"[]", "list of fields"},
		{"profiles: {}\n---\nprofiles: {}", "second document"},
		{"profile: {}", `unknown field "profile"`},
		{"profiles: 3", "list of names"},
		{"profiles: {head: 3}", "profile head, field (all)"},
		{"profiles: {head: {like: hr}}", "profile head, field like"},
		{"profiles: {x: {like: nobody}}", "profile x, field like"},
		{"profiles: {head: {colour: red}}", "profile head, field colour: there is no such field"},
		{"profiles: {head: {file_days: '365'}}", "profile head, field file_days: line 1: a number is wanted"},
		{"profiles: {head: {file_days: 0}}", "profile head, field file_days: 0 days"},
		{"profiles: {head: {file_days: 99999999999999999999}}", "profile head, field file_days"},
		{"profiles: {head: {carrier_days: 1096}}", "profile head, field carrier_days"},
		{"profiles: {head: {storage: 1}}", "profile head, field storage"},
		{"profiles: {head: {title: [x]}}", "profile head, field title"},
		{"profiles: {head: {kind: root}}", `profile head, field kind: no kind "root"`},
		{"profiles: {Head: {like: head}}", "profile Head, field name"},
		{"profiles: {head: {subject: [cn]}}", "profile head, field subject: cn and country"},
		{"profiles: {head: {subject: [cn, country, country]}}", "country twice"},
		{"profiles: {head: {subject: [cn, country, shoe]}}", `no field "shoe"`},
		{"profiles: {head: {subject: [cn, country, 'iin?']}}", "iin is never optional"},
		{"profiles: {head: {subject: [cn, country]}}", "known by iin or bin"},
		{"profiles: {head: {subject: [cn, country, bin]}}", "go together"},
		{"profiles: {info-system: {subject: [cn, surname, country, organization, bin]}}", "wants an iin"},
		{"profiles: {ocsp: {subject: [cn, country, iin]}}", "no person"},
		{"profiles: {head: {keys: []}}", "profile head, field keys: no kind"},
		{"profiles: {head: {keys: [gost2004]}}", "no kind of key"},
		{"profiles: {head: {keys: [gost512, gost512]}}", "twice"},
		{"profiles: {head: {keys: [rsa 1024-2048]}}", "RSA keys have"},
		{"profiles: {head: {keys: [rsa 2048]}}", "bits are written as"},
		{"profiles: {head: {keys: rsa}}", "a list is wanted"},
		{"profiles: {head: {usage: [legal, first-head, legal]}}", "legal twice"},
		{"profiles: {head: {usage: [emailProtection, legal]}}", "exactly one role"},
		{"profiles: {head: {usage: [emailProtection, first-head]}}", "exactly one role"},
		{"profiles: {head: {usage: [emailProtection, clientAuth, legal, hr]}}", "at once"},
		{"profiles: {head: {usage: [emailProtection, individual]}}", "no bin"},
		{"profiles: {individual: {usage: [emailProtection, legal, hr]}}", "wants bin"},
		{"profiles: {head: {usage: [timeStamping]}}", "not for holders"},
		{"profiles: {head: {usage: [2.5.29.37.0]}}", "not for holders"},
		{"profiles: {head: {usage: [identified-at-desk]}}", "profile head, field usage"},
		{"profiles: {head: {usage: [1.2.398.3.3.4.3.1]}}", "the order's to say"},
		{"profiles: {head: {usage: [1.02.3]}}", "no word and no object identifier"},
		{"profiles: {ocsp: {usage: [OCSPSigning, clientAuth]}}", "OCSPSigning, alone"},
		{"profiles: {tsa: {usage: []}}", "timeStamping, alone"},
		{"profiles: {authority: {usage: [clientAuth]}}", "an authority has none"},
		{"profiles: {authority: {registered: true}}", "only holders"},
		{"profiles: {head: {key_usage: [signing]}}", `no key usage "signing"`},
		{"profiles: {head: {key_usage: [keyCertSign]}}", "profile head, field key_usage"},
		{"profiles: {head-auth: {key_usage: [nonRepudiation]}}", "sign what its holder never saw"},
		{"profiles: {tsa: {key_usage: [nonRepudiation]}}", "digitalSignature, alone"},
		{"profiles: {authority: {key_usage: [digitalSignature]}}", "keyCertSign and cRLSign"},
		{"profiles: {head: {policies: []}}", "1 to 4 policies"},
		{"profiles: {head: {policies: [own]}}", "a policy has"},
		{"profiles: {head: {policies: [{oid: own}, {oid: own}]}}", "a policy twice"},
		{"profiles: {head: {policies: [{oid: 2.5.29.32.0}]}}", "anyPolicy"},
		{"profiles: {head: {policies: [{oid: own, cps: 'ftp://x/'}]}}", "cps is an http address"},
		{"profiles: {head: {policies: [{oid: own, text: x}]}}", "text: there is no such field"},
		{"profiles: {ocsp: {storage: true}}", "profile ocsp, field storage"},
		{"profiles: {ocsp: {serial: nca}}", "profile ocsp, field serial"},
		{"profiles: {head: {serial: one}}", `no rule "one"`},
		{"profiles: {head: {email: perhaps}}", `no presence "perhaps"`},
		{"profiles: {tsa: {email: optional}}", "no e-mail"},
		{"profiles: {tsa: {identity: true}}", "only persons"},
		{"retired: [nobody]", `no built-in profile "nobody"`},
		{"profiles: {a: {like: hr}, a: {like: hr}}", "twice"},
		{"profiles: {a: &x {like: hr}, b: *x}", "anchors, aliases"},
		{"profiles: {a: !!map {like: hr}}", "anchors, aliases and tags"},
		{strings.Repeat("#", maxFile+1), "bytes, at most"},
		{"profiles: {head: {usage: [" + strings.Repeat("a,", maxNodes) + "a]}}", "too many values"},
	} {
		_, err := Read([]byte(tt.file), NCA())
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.60s: %v, want %q", tt.file, err, tt.want)
		}
	}
	_, err := Read([]byte("profiles: {head: {file_days: 0, storage: no}, hr: {serial: x}}"), NCA())
	if f, ok := errors.AsType[*FieldError](err); !ok || f.Profile == "" || f.Field == "" || strings.Count(err.Error(), "profile ") < 2 {
		t.Errorf("not every mistake is named: %v", err)
	}
}

func TestSubjectName(t *testing.T) {
	person := Values{CommonName: "ТЕСТОВ ТЕСТ", Surname: "ТЕСТОВ", IIN: "123456789011"}
	with := func(f Field, v string) Values {
		c := Values{f: v}
		for k, w := range person {
			if _, ok := c[k]; !ok {
				c[k] = w
			}
		}
		return c
	}
	p := NCA()["individual"]
	n, err := p.SubjectName(with(Patronymic, "ТЕСТОВИЧ"))
	if err != nil || len(n) != 5 || n[4].Value != "ТЕСТОВИЧ" || n[3].Value != "KZ" || n[2].Value != "IIN123456789011" {
		t.Errorf("%v, %v", n, err)
	}
	for _, v := range []Values{with(IIN, "12345"), with(IIN, ""), with(Surname, ""), with(BIN, "123456789021"), with(Country, "RU"), with(UID, "1.2.3")} {
		_, err := p.SubjectName(v)
		if err == nil || strings.Contains(err.Error(), "123456789") {
			t.Errorf("%v: %v", v, err)
		}
	}
	k2 := NCA()["treasury"]
	v := with(TreasuryRole, "ROLE02")
	v[TreasuryCode], v[Organization], v[BIN] = "KS1234", "О", "123456789021"
	if n, err := k2.SubjectName(v); err != nil || n[0].Value != "ROLE02" || n[7].Value != "KS1234" {
		t.Errorf("%v, %v", n, err)
	}
	v[TreasuryCode] = "KS123"
	if _, err := k2.SubjectName(v); err == nil {
		t.Error("a code of three digits")
	}
}

// FuzzRead: no file makes the reader fall over, and what it takes is in order.
func FuzzRead(f *testing.F) {
	f.Add([]byte("profiles:\n  individual: {file_days: 730}\n  a: {like: hr, policies: [{oid: own, notice: true}]}\nretired: [manager]\n"))
	f.Add([]byte(`{"profiles": {"head": {"keys": ["rsa 2048-4096"]}}}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		set, err := Read(file, NCA())
		if err != nil {
			return
		}
		for name, p := range set {
			if err := p.Check(); err != nil || p.Name != name {
				t.Errorf("taken: %s: %v", name, err)
			}
		}
	})
}
