package agent

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"senim/internal/keystore"
	"senim/internal/lang"
	"senim/internal/ncalayer"
)

const challengeWord = "senim-challenge"

// relayed tells whether content is a sign-in challenge that another origin than the asking one wrote:
// a page may fetch a challenge of a site and bring it here (security.md §1 and §8). A challenge without
// exactly one readable origin line counts as relayed.
func relayed(content []byte, s site) (another string, bad bool) {
	if !bytes.HasPrefix(content, []byte(challengeWord)) {
		return "", false
	}
	var origins []string
	for _, line := range strings.Split(string(content), "\n") {
		if rest, ok := strings.CutPrefix(line, "origin:"); ok {
			origins = append(origins, strings.TrimSpace(rest))
		}
	}
	if len(origins) != 1 || s.Origin == "" {
		return strings.Join(origins, ", "), true
	}
	return origins[0], origins[0] != s.Origin
}

// purposeInstall is what a challenge is for that new keys sign when they are installed, and nothing else.
const purposeInstall = "install-keys"

// firstSignatures refuses a challenge for the first signatures of new keys that is not one, or another site's.
func firstSignatures(challenge string, s site) *ncalayer.Refusal {
	if challenge == "" {
		return nil
	}
	purpose, _ := readChallenge([]byte(challenge), lang.EN)
	if _, bad := relayed([]byte(challenge), s); bad || purpose != purposeInstall || len(challenge) > maxChallenge {
		return &ncalayer.Refusal{Code: ncalayer.CodeImporting, Details: "challenge_not_for_this: new keys sign a challenge of the asking site, for their installation"}
	}
	return nil
}

// maxChallenge bounds a challenge that is signed unseen: it is a few lines.
const maxChallenge = 1 << 10

// firstSignature has a key that was installed just now sign the challenge it was installed under. Without one, the
// key stands installed all the same.
func (a *Agent) firstSignature(key *keystore.Key, challenge string) []byte {
	if key == nil || challenge == "" {
		return nil
	}
	der, err := a.sign(key, message{content: []byte(challenge)}, true)
	if err != nil {
		a.log.Warn("a new key did not sign that it is installed", "err", fmt.Sprintf("%T", err))
		return nil
	}
	return der
}

// readChallenge says in words what a challenge is for; of other content it says nothing. A purpose
// without words here stays as it is written.
func readChallenge(content []byte, tag lang.Tag) (purpose string, facts []Pair) {
	if !bytes.HasPrefix(content, []byte(challengeWord+" ")) {
		return "", nil
	}
	lines := map[string]string{}
	for _, line := range strings.Split(string(content), "\n") {
		if name, value, ok := strings.Cut(line, ": "); ok && lines[name] == "" {
			lines[name] = strings.TrimSpace(value)
		}
	}
	purpose = lines["purpose"]
	said := purpose
	if key := "agent.purpose." + purpose; lang.Has(key) {
		said = tag.Text(key)
	}
	facts = []Pair{{tag.Text("agent.challenge.purpose"), said}, {tag.Text("agent.challenge.site"), lines["origin"]}}
	if at, err := time.Parse(time.RFC3339, lines["expires"]); err == nil {
		facts = append(facts, Pair{tag.Text("agent.challenge.expires"), tag.DateTime(at)})
	}
	return purpose, facts
}
