package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"senim/internal/ident"
)

// said is what an answer of records decides; where it came from, and when, decides nothing.
type said[T any] struct {
	Verdict      Verdict
	Code, Record string
	Value        T
}

func decisive[T any](a Answer[T]) said[T] {
	return said[T]{Verdict: a.Verdict, Code: a.Code, Record: a.RecordID, Value: a.Value}
}

// Standing is what the records in force say of an organisation, with its head today, as a text that is another once
// anything of it changes. Who decides by answers reads it before he asks, and again in the transaction in which he
// acts. It asks no state service.
func (b *Book) Standing(ctx context.Context, tx Tx, bin ident.BIN) (string, error) {
	now := b.c.Now()
	entity, err := b.entity(ctx, tx, bin, now)
	if err != nil {
		return "", fmt.Errorf("read what is known of an organisation: %w", err)
	}
	head, err := b.head(ctx, tx, bin, DateOf(now), now)
	if err != nil {
		return "", fmt.Errorf("read what is known of an organisation: %w", err)
	}
	return digest(decisive(entity), decisive(head))
}

// PersonStanding is [Book.Standing] of a person, and of the taxpayer of the same number.
func (b *Book) PersonStanding(ctx context.Context, tx Tx, iin ident.IIN) (string, error) {
	now := b.c.Now()
	person, err := b.person(ctx, tx, iin, now)
	if err != nil {
		return "", fmt.Errorf("read what is known of a person: %w", err)
	}
	taxpayer, err := b.taxpayer(ctx, tx, string(iin), now)
	if err != nil {
		return "", fmt.Errorf("read what is known of a person: %w", err)
	}
	return digest(decisive(person), decisive(taxpayer))
}

func digest(all ...any) (string, error) {
	text, err := json.Marshal(all)
	if err != nil {
		return "", fmt.Errorf("write what is known down: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
