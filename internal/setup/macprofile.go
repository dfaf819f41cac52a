package setup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"strings"
)

// macProfile is the policy of all browsers of the Chromium kind on macOS: a configuration profile, in a file that the
// administrator opens and agrees to in the system's settings, for no program may do that. Settings that are written
// where a profile puts them go away when the machine starts again.
type macProfile struct{ policyFile }

// macProfileID names the profile to macOS.
const macProfileID = "kz.senim.agent.policy"

func (p macProfile) Kind() string { return "mac-profile" }

// held tells whether the administrator has agreed to the profile.
func (p macProfile) held(ctx context.Context) bool {
	out, err := p.m.Run(ctx, "profiles", "list")
	return err == nil && strings.Contains(string(out), macProfileID)
}

// State is that of the file; a profile that is held without one is an old one.
func (p macProfile) State(ctx context.Context) (State, error) {
	state, err := p.policyFile.State(ctx)
	if state == Absent && err == nil && p.last() && p.held(ctx) {
		return Old, nil
	}
	return state, err
}

// last tells whether no person of the machine has a site in the policy.
func (p macProfile) last() bool {
	l, err := p.m.ledger()
	return err == nil && len(l.sites()) == 0
}

// Take takes the profile away with the last of its sites; while another person's are in it, the file stays, and who
// administers the machine opens it again.
func (p macProfile) Take(ctx context.Context) error {
	if err := p.policyFile.Take(ctx); err != nil {
		return err
	}
	if p.last() && p.held(ctx) {
		if _, err := p.m.Run(ctx, "profiles", "remove", "-identifier", macProfileID); err != nil {
			return err
		}
	}
	return nil
}

// mobileConfig is the profile: a payload for each browser, by its domain of settings.
func mobileConfig(sites []string) []byte {
	var b bytes.Buffer
	put := func(s string) { b.WriteString(s) }
	text := func(kind, s string) {
		put("<" + kind + ">")
		_ = xml.EscapeText(&b, []byte(s)) // a buffer takes everything
		put("</" + kind + ">\n")
	}
	pair := func(key, value string) { text("key", key); text("string", value) }
	head := func(id, kind string) {
		pair("PayloadType", kind)
		pair("PayloadIdentifier", id)
		pair("PayloadUUID", uuidOf(id))
		pair("PayloadDisplayName", "Senim")
		put("<key>PayloadVersion</key><integer>1</integer>\n")
	}
	put(xml.Header + `<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">` + "\n<plist version=\"1.0\"><dict>\n")
	head(macProfileID, "Configuration")
	pair("PayloadScope", "System")
	put("<key>PayloadRemovalDisallowed</key><false/>\n<key>PayloadContent</key><array>\n")
	for _, c := range chromiums {
		if c.domain == "" {
			continue
		}
		put("<dict>\n")
		head(macProfileID+"."+c.domain, c.domain)
		for _, name := range allowing {
			text("key", name)
			put("<array>\n")
			for _, site := range sites {
				text("string", site)
			}
			put("</array>\n")
		}
		put("</dict>\n")
	}
	put("</array>\n</dict></plist>\n")
	return b.Bytes()
}

// uuidOf is always the same of one name, so that a newer profile takes an older one's place.
func uuidOf(name string) string {
	u := sha256.Sum256([]byte(name))
	u[6], u[8] = u[6]&0x0f|0x80, u[8]&0x3f|0x80 // version 8, of our own making (RFC 9562)
	return strings.ToUpper(fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:16]))
}
