// Reads a log with golang.org/x/mod/sumdb/{note,tlog}, the implementation that C2SP's formats come from.
//
//	peer FOLDER VKEY
//
// The signature of the checkpoint, every entry against its hash tile and the root, and consistency with every
// smaller size are checked by that package; nothing of the product's own code is used.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// tiles reads hash tiles; C2SP leaves out the height that Go's own paths name.
type tiles struct{ folder string }

func (t tiles) Height() int { return height }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(wanted))
	for i, tile := range wanted {
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
		data, err := os.ReadFile(filepath.Join(t.folder, path))
		if err != nil {
			return nil, err
		}
		found[i] = data
	}
	return found, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: peer FOLDER VKEY"))
	}
	size, err := check(os.Args[1], os.Args[2])
	if err != nil {
		fail(err)
	}
	fmt.Println("ok", size)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func check(folder, vkey string) (int64, error) {
	tree, err := openCheckpoint(folder, vkey)
	if err != nil {
		return 0, err
	}
	reader := tlog.TileHashReader(tree, tiles{folder})
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil {
		return 0, err
	}
	if root != tree.Hash {
		return 0, fmt.Errorf("root of the tiles is %v, the checkpoint says %v", root, tree.Hash)
	}
	entries, err := readEntries(folder, tree.N)
	if err != nil {
		return 0, err
	}
	for i, entry := range entries {
		proof, err := tlog.ProveRecord(tree.N, int64(i), reader)
		if err != nil {
			return 0, err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(i), tlog.RecordHash(entry)); err != nil {
			return 0, fmt.Errorf("entry %d: %w", i, err)
		}
	}
	return tree.N, checkSmaller(tree, reader)
}

// checkSmaller proves that the log of every smaller size is a beginning of this one.
func checkSmaller(tree tlog.Tree, reader tlog.HashReader) error {
	for size := int64(1); size < tree.N; size++ {
		old, err := tlog.TreeHash(size, reader)
		if err != nil {
			return err
		}
		proof, err := tlog.ProveTree(tree.N, size, reader)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, size, old); err != nil {
			return fmt.Errorf("size %d: %w", size, err)
		}
	}
	return nil
}

func openCheckpoint(folder, vkey string) (tlog.Tree, error) {
	var tree tlog.Tree
	data, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return tree, err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, err
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tree, fmt.Errorf("not a checkpoint of %s: %q", verifier.Name(), opened.Text)
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tree, fmt.Errorf("not a root hash: %q", lines[2])
	}
	copy(tree.Hash[:], root)
	return tree, nil
}

// readEntries reads the entry bundles of C2SP tlog-tiles: each entry after its length, two bytes.
func readEntries(folder string, size int64) ([][]byte, error) {
	var entries [][]byte
	for n := int64(0); n*(1<<height) < size; n++ {
		width := size - n*(1<<height)
		if width > 1<<height {
			width = 1 << height
		}
		tile := tlog.Tile{H: height, L: 0, N: n, W: int(width)}
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/0/", height), "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(folder, path))
		if err != nil {
			return nil, err
		}
		for len(data) >= 2 {
			length := int(binary.BigEndian.Uint16(data))
			if len(data) < 2+length {
				return nil, fmt.Errorf("bundle %d is cut", n)
			}
			entries = append(entries, data[2:2+length])
			data = data[2+length:]
		}
	}
	if int64(len(entries)) != size {
		return nil, fmt.Errorf("%d entries, the checkpoint says %d", len(entries), size)
	}
	return entries, nil
}
