package agent

import (
	"bytes"
	"strings"
	"time"

	"senim/internal/lang"
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
