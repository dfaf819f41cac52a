package registry

import (
	"context"
	"time"

	"senim/internal/ident"
)

// Organisation is [Book.Entity] and [Book.Head] of one organisation in one question: a state service is asked once,
// and both answers are of the same moment.
func (b *Book) Organisation(ctx context.Context, bin ident.BIN, on time.Time) (Answer[LegalEntity], Answer[Head]) {
	t, live := b.askLegal(ctx, bin)
	if settled(b, live) {
		return asked[LegalEntity](ctx, b, live), asked[Head](ctx, b, live)
	}
	present := t
	if !b.today(on) {
		present = nil
	}
	entity := ask(ctx, b, func(tx Tx, now time.Time) (Answer[LegalEntity], error) { return b.entity(ctx, t.over(tx), bin, now) })
	head := ask(ctx, b, func(tx Tx, now time.Time) (Answer[Head], error) {
		return b.head(ctx, present.over(tx), bin, DateOf(on), now)
	})
	if t != nil {
		return entity, head
	}
	if entity.Verdict != Good { // the head follows from it: one record of one question
		if entity = given(ctx, b, string(bin), entity); entity.Code == Unrecorded {
			head = asked[Head](ctx, b, entity)
		}
	} else if head = given(ctx, b, string(bin), head); head.Code == Unrecorded {
		entity = asked[LegalEntity](ctx, b, head)
	}
	return entity, head
}
