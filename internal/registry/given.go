package registry

import (
	"context"
	"fmt"

	"senim/internal/audit"
)

// Unrecorded says that an answer could not be recorded, so it is not given.
const Unrecorded = "UNRECORDED"

// given records an answer of loads to a question with a purpose: who asked about which number, both by keyed hashes,
// and what was answered. State services record theirs themselves.
func given[T any](ctx context.Context, b *Book, number string, a Answer[T]) Answer[T] {
	if b.purpose == "" {
		return a
	}
	result := a.Code
	if result == "" {
		result = "ok"
	}
	err := b.c.Store.Update(ctx, func(tx Tx) error {
		actor := "system"
		if b.asker != "" {
			actor = tx.Hash(string(b.asker))
		}
		return tx.Audit(ctx, audit.Event{Action: "registry.answer.given", Actor: actor, Object: tx.Hash(number), Result: result,
			Detail: map[string]string{"source": a.Source, "purpose": string(b.purpose), "verdict": string(a.Verdict), "load": a.LoadID}})
	})
	if err != nil {
		return Answer[T]{Verdict: Unknown, Code: Unrecorded, Source: a.Source, NextLoad: a.NextLoad, Err: fmt.Errorf("record an answer: %w", err)}
	}
	return a
}
