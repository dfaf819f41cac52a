package web

import "testing"

func TestPartsOfTheMenu(t *testing.T) {
	t.Parallel()
	got := parts([]Link{{Text: "keys", Group: "Keys"}, {Text: "sent", Group: "Applications"}, {Text: "folder", Group: "Keys", Current: true}, {Text: "one"}, {Text: "two"}})
	if len(got) != 4 {
		t.Fatalf("%d parts, want 4: %v", len(got), got)
	}
	if got[0].name != "Keys" || len(got[0].links) != 2 || !got[0].current() {
		t.Errorf("the group is %v", got[0])
	}
	if got[1].name != "" || got[1].links[0].Text != "sent" || got[1].current() {
		t.Errorf("a group of one link is %v", got[1])
	}
	if got[2].links[0].Text != "one" || got[3].links[0].Text != "two" {
		t.Errorf("links of no group were gathered: %v", got[2:])
	}
}
