// Command reader checks a proof of ours by golang.org/x/mod/sumdb's note and tlog, and nothing of ours.
// Standard input is {"public_key", "proof", "older"?}: the key in PEM, an answer of the proof route, an older note.
package main

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type input struct {
	PublicKey string `json:"public_key"`
	Older     string `json:"older"`
	Proof     struct {
		Sequence    int64    `json:"sequence"`
		Record      string   `json:"record"`
		LeafHash    string   `json:"leaf_hash"`
		Checkpoint  string   `json:"checkpoint"`
		Inclusion   []string `json:"inclusion"`
		Consistency []string `json:"consistency"`
	} `json:"proof"`
}

// verifier is C2SP's signature type 0x02, ECDSA, of which sumdb/note has none of its own.
type verifier struct {
	name string
	hash uint32
	key  *ecdsa.PublicKey
}

func (v verifier) Name() string    { return v.name }
func (v verifier) KeyHash() uint32 { return v.hash }
func (v verifier) Verify(msg, sig []byte) bool {
	digest := sha256.Sum256(msg)
	return ecdsa.VerifyASN1(v.key, digest[:], sig)
}

func newVerifier(name, text string) (verifier, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return verifier{}, errors.New("no PEM")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return verifier{}, err
	}
	id := sha256.Sum256(block.Bytes)
	return verifier{name, binary.BigEndian.Uint32(id[:4]), key.(*ecdsa.PublicKey)}, nil
}

type checkpoint struct {
	size int64
	root tlog.Hash
}

func open(text string, v verifier) (checkpoint, error) {
	opened, err := note.Open([]byte(text), note.VerifierList(v))
	if err != nil {
		return checkpoint{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != v.name {
		return checkpoint{}, errors.New("another origin")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return checkpoint{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return checkpoint{size, root}, err
}

func hashes(texts []string) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, text := range texts {
		one, err := tlog.ParseHash(text)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func run() error {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		return err
	}
	v, err := newVerifier(strings.SplitN(in.Proof.Checkpoint, "\n", 2)[0], in.PublicKey)
	if err != nil {
		return err
	}
	tree, err := open(in.Proof.Checkpoint, v)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	leaf := tlog.RecordHash([]byte(in.Proof.Record))
	if base64.StdEncoding.EncodeToString(leaf[:]) != in.Proof.LeafHash {
		return errors.New("another leaf hash")
	}
	inclusion, err := hashes(in.Proof.Inclusion)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(inclusion, tree.size, tree.root, in.Proof.Sequence-1, leaf); err != nil {
		return fmt.Errorf("inclusion: %w", err)
	}
	if in.Older != "" {
		older, err := open(in.Older, v)
		if err != nil {
			return fmt.Errorf("older checkpoint: %w", err)
		}
		consistency, err := hashes(in.Proof.Consistency)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(consistency, tree.size, tree.root, older.size, older.root); err != nil {
			return fmt.Errorf("consistency: %w", err)
		}
	}
	fmt.Println("ok", in.Proof.Sequence, tree.size)
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
}
