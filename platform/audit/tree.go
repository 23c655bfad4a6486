package audit

import (
	"context"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"parley/platform/db"
	"parley/platform/fault"
)

// blockLevel is the level of the tree whose hashes are kept: each is the root of 256 entries.
const (
	blockLevel = 8
	blockSize  = 1 << blockLevel
)

// peaks are the roots of the complete subtrees of a tree of some size, the largest first.
type peaks struct {
	size  int64
	roots []tlog.Hash
}

// push adds a leaf. block is the root of the block that it completes; full tells whether it did.
func (p *peaks) push(leaf tlog.Hash) (block tlog.Hash, full bool) {
	h := leaf
	for level := range bits.TrailingZeros64(uint64(p.size + 1)) {
		last := len(p.roots) - 1
		h, p.roots = tlog.NodeHash(p.roots[last], h), p.roots[:last]
		if level+1 == blockLevel {
			block, full = h, true
		}
	}
	p.roots = append(p.roots, h)
	p.size++
	return block, full
}

// root is the hash of the whole tree.
func (p *peaks) root() (tlog.Hash, error) {
	return tlog.TreeHash(p.size, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		return p.roots, nil // TreeHash asks for just these, in this order
	}))
}

func (p *peaks) encode() []byte {
	out := make([]byte, 0, len(p.roots)*tlog.HashSize)
	for _, h := range p.roots {
		out = append(out, h[:]...)
	}
	return out
}

func decodePeaks(size int64, b []byte) (*peaks, error) {
	if len(b) != bits.OnesCount64(uint64(size))*tlog.HashSize {
		return nil, fault.New(fault.Unavailable, "The audit log is damaged: its size is %d, and %d bytes of its tree are there. Restore a backup with \"parley restore\".", size, len(b))
	}
	p := &peaks{size: size}
	for len(b) > 0 {
		p.roots = append(p.roots, tlog.Hash(b[:tlog.HashSize]))
		b = b[tlog.HashSize:]
	}
	return p, nil
}

// nodes reads hashes of the stored tree, for proofs.
type nodes struct {
	ctx context.Context
	c   db.Conn
	org int64
}

// ReadHashes is that of tlog.HashReader.
func (r nodes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, n := tlog.SplitStoredHashIndex(index)
		hashes, err := r.below(level, n)
		if err != nil {
			return nil, err
		}
		for len(hashes) > 1 {
			for j := range len(hashes) / 2 {
				hashes[j] = tlog.NodeHash(hashes[2*j], hashes[2*j+1])
			}
			hashes = hashes[:len(hashes)/2]
		}
		out[i] = hashes[0]
	}
	return out, nil
}

// below are the stored hashes that the n-th node of a level is made of.
func (r nodes) below(level int, n int64) ([]tlog.Hash, error) {
	query, stored := `SELECT leaf FROM audit_entries WHERE org_id = $1 AND n >= $2 AND n < $3 ORDER BY n`, 0
	scan := func(s db.Scanner) (tlog.Hash, error) {
		var leaf []byte
		err := s.Scan(&leaf)
		return tlog.RecordHash(leaf), err
	}
	if level >= blockLevel {
		query, stored = `SELECT root FROM audit_blocks WHERE org_id = $1 AND block >= $2 AND block < $3 ORDER BY block`, blockLevel
		scan = func(s db.Scanner) (h tlog.Hash, err error) {
			var root []byte
			if err := s.Scan(&root); err != nil || len(root) != len(h) {
				return h, err
			}
			return tlog.Hash(root), nil
		}
	}
	want := int64(1) << (level - stored)
	hashes, err := db.Select(r.ctx, r.c, scan, query, r.org, n*want, (n+1)*want)
	if err == nil && int64(len(hashes)) != want {
		err = fault.New(fault.Unavailable, "The audit log is damaged: of its entries %d to %d some are missing. Restore a backup with \"parley restore\".", n<<level, (n+1)<<level-1)
	}
	return hashes, err
}
