package courier

import (
	"regexp"

	"github.com/linxGnu/gosmpp/pdu"
)

var receiptText = regexp.MustCompile(`(?is)^\s*id:([!-~]{1,65})\s.*\bstat:([a-z]{1,10})`)

// receipt reads a deliver_sm that tells of a message (SMPP 3.4 §5.2.12 and appendix B); ok is false
// for what a phone sent.
func receipt(p *pdu.DeliverSM) (r Receipt, ok bool) {
	if p.EsmClass&0x3C != 0x04 {
		return Receipt{}, false
	}
	r.State = Accepted
	if text, err := p.Message.GetMessageData(); err == nil && len(text) <= 255 {
		if m := receiptText.FindSubmatch(text); m != nil {
			r.Part, r.State = string(m[1]), stateOf(string(m[2]))
		}
	}
	if f, ok := p.OptionalParameters[pdu.TagReceiptedMessageID]; ok && f.String() != "" && len(f.Data) <= 65 {
		r.Part = f.String()
	}
	if f, ok := p.OptionalParameters[pdu.TagMessageStateOption]; ok && len(f.Data) == 1 {
		switch f.Data[0] { // SMPP 3.4 §5.2.28
		case 2:
			r.State = Delivered
		case 3, 5, 8:
			r.State = Failed
		}
	}
	return r, r.Part != ""
}

// stateOf reads the words of appendix B: what is not an end is "on its way".
func stateOf(word string) State {
	switch word {
	case "DELIVRD":
		return Delivered
	case "EXPIRED", "UNDELIV", "REJECTD":
		return Failed
	}
	return Accepted
}
