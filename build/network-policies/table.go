package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
	core "k8s.io/api/core/v1"
)

// Each change makes a table of its own, which replaces the one before: until it is whole, that one is in force.
const prefix = "usernetes-policies-"

// The kernel takes a message of some 200 KB from a user namespace, and has room for some hundred answers.
const (
	mostMessages = 40
	mostElements = 500
)

const (
	ipv4Source      = 12
	ipv4Destination = 16
	register        = 1
)

var protocols = map[core.Protocol]byte{
	core.ProtocolTCP: unix.IPPROTO_TCP, core.ProtocolUDP: unix.IPPROTO_UDP, core.ProtocolSCTP: unix.IPPROTO_SCTP,
}

// enforce makes the kernel let through what is allowed to and from pods, and nothing else; with none of them it leaves nothing.
func enforce(isolated map[netip.Addr]isolation, bridge string) error {
	before, err := tables()
	if err != nil {
		return err
	}
	if len(isolated) > 0 {
		random := make([]byte, 6)
		if _, err := rand.Read(random); err != nil {
			return err
		}
		table := newTable(prefix + hex.EncodeToString(random))
		if err := table.fill(isolated, bridge); err != nil {
			return errors.Join(err, remove(table.table))
		}
	}
	return remove(before...)
}

func tables() ([]*nftables.Table, error) {
	connection, err := nftables.New()
	if err != nil {
		return nil, err
	}
	all, err := connection.ListTablesOfFamily(nftables.TableFamilyINet)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(table *nftables.Table) bool { return !strings.HasPrefix(table.Name, prefix) }), nil
}

func remove(tables ...*nftables.Table) error {
	for _, table := range tables {
		connection, err := nftables.New()
		if err != nil {
			return err
		}
		connection.DelTable(table)
		if err := connection.Flush(); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("table %s cannot be removed: %w", table.Name, err)
		}
	}
	return nil
}

type table struct {
	table      *nftables.Table
	connection *nftables.Conn
	messages   int
	// By what they contain.
	sets   map[string]*nftables.Set
	chains map[string]string
}

func newTable(name string) *table {
	return &table{
		table:  &nftables.Table{Name: name, Family: nftables.TableFamilyINet},
		sets:   map[string]*nftables.Set{},
		chains: map[string]string{},
	}
}

// next has room for n further messages.
func (t *table) next(n int) (*nftables.Conn, error) {
	if t.connection != nil && t.messages+n > mostMessages {
		if err := t.flush(); err != nil {
			return nil, err
		}
	}
	if t.connection == nil {
		connection, err := nftables.New()
		if err != nil {
			return nil, err
		}
		t.connection = connection
	}
	t.messages += n
	return t.connection, nil
}

func (t *table) flush() error {
	if t.connection == nil {
		return nil
	}
	err := t.connection.Flush()
	t.connection, t.messages = nil, 0
	return err
}

func (t *table) fill(isolated map[netip.Addr]isolation, bridge string) error {
	connection, err := t.next(1)
	if err != nil {
		return err
	}
	connection.AddTable(t.table)
	var ingress, egress, own []nftables.SetElement
	for _, address := range slices.SortedFunc(maps.Keys(isolated), netip.Addr.Compare) {
		of := isolated[address]
		key := address.AsSlice()
		own = append(own, nftables.SetElement{Key: slices.Concat(key, key)})
		for _, way := range []struct {
			rules    []rule
			offset   uint32
			elements *[]nftables.SetElement
		}{{of.ingress, ipv4Source, &ingress}, {of.egress, ipv4Destination, &egress}} {
			if way.rules == nil {
				continue
			}
			chain, err := t.chain(way.rules, way.offset)
			if err != nil {
				return err
			}
			*way.elements = append(*way.elements, nftables.SetElement{
				Key: key, VerdictData: &expr.Verdict{Kind: expr.VerdictJump, Chain: chain},
			})
		}
	}
	verdicts := nftables.Set{KeyType: nftables.TypeIPAddr, DataType: nftables.TypeVerdict, IsMap: true}
	to, from, self := verdicts, verdicts, nftables.Set{
		KeyType: nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeIPAddr), Concatenation: true,
	}
	to.Name, from.Name, self.Name = "ingress", "egress", "own"
	for set, elements := range map[*nftables.Set][]nftables.SetElement{&to: ingress, &from: egress, &self: own} {
		if err := t.set(set, elements); err != nil {
			return err
		}
	}
	if err := t.flush(); err != nil {
		return err
	}
	return t.hook(&to, &from, &self, bridge)
}

// hook puts the table in force.
func (t *table) hook(to, from, self *nftables.Set, bridge string) error {
	connection, err := t.next(8)
	if err != nil {
		return err
	}
	// After the addresses of Services have become those of pods, before those of pods become the node's. What the node
	// itself sends to its pods does not come here, as Kubernetes wants it.
	chain := connection.AddChain(&nftables.Chain{
		Name: "forward", Table: t.table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
	})
	add := func(exprs ...expr.Any) {
		connection.AddRule(&nftables.Rule{Table: t.table, Chain: chain, Exprs: exprs})
	}
	accept := &expr.Verdict{Kind: expr.VerdictAccept}
	// Answers. What goes the other way is looked at each time, so that a policy ends the connections that it does not allow.
	add(&expr.Ct{Key: expr.CtKeyDIRECTION, Register: register}, equal([]byte{1}), accept)
	add(
		&expr.Ct{Key: expr.CtKeySTATE, Register: register},
		&expr.Bitwise{
			SourceRegister: register, DestRegister: register, Len: 4,
			Mask: native(expr.CtStateBitRELATED), Xor: native(0),
		},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: register, Data: native(0)},
		accept,
	)
	family := &expr.Meta{Key: expr.MetaKeyNFPROTO, Register: register}
	// Pods have no such address but those of the link, by which nobody knows them.
	add(
		&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: register}, equal(name(bridge)),
		family, equal([]byte{unix.NFPROTO_IPV6}), &expr.Verdict{Kind: expr.VerdictDrop},
	)
	add(family, &expr.Cmp{Op: expr.CmpOpNeq, Register: register, Data: []byte{unix.NFPROTO_IPV4}}, accept)
	// The source comes right before the destination.
	add(network(ipv4Source, 8), &expr.Lookup{SourceRegister: register, SetName: self.Name, SetID: self.ID}, accept)
	add(network(ipv4Source, 4), verdictOf(from))
	add(network(ipv4Destination, 4), verdictOf(to))
	return t.flush()
}

// chain is one with these rules, which returns for what they allow.
func (t *table) chain(rules []rule, offset uint32) (string, error) {
	key := digest(fmt.Sprintf("%d %#v", offset, rules))
	if chain, ok := t.chains[key]; ok {
		return chain, nil
	}
	type match []expr.Any
	var matches []match
	for _, each := range rules {
		var peers match
		if each.peers != nil {
			set, err := t.spans(each.peers, nftables.TypeIPAddr)
			if err != nil {
				return "", err
			}
			peers = match{network(offset, 4), lookup(set)}
		}
		if each.ports == nil {
			matches = append(matches, peers)
			continue
		}
		for _, protocol := range slices.Sorted(maps.Keys(each.ports)) {
			set, err := t.spans(each.ports[protocol], nftables.TypeInetService)
			if err != nil {
				return "", err
			}
			matches = append(matches, slices.Concat(peers, match{
				&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: register}, equal([]byte{protocols[protocol]}),
				&expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2}, lookup(set),
			}))
		}
	}
	chain := &nftables.Chain{Name: "c" + key, Table: t.table}
	connection, err := t.next(1)
	if err != nil {
		return "", err
	}
	connection.AddChain(chain)
	add := func(exprs ...expr.Any) error {
		connection, err := t.next(1)
		if err == nil {
			connection.AddRule(&nftables.Rule{Table: t.table, Chain: chain, Exprs: exprs})
		}
		return err
	}
	for _, each := range matches {
		if err := add(append(each, &expr.Verdict{Kind: expr.VerdictReturn})...); err != nil {
			return "", err
		}
	}
	t.chains[key] = chain.Name
	return chain.Name, add(&expr.Verdict{Kind: expr.VerdictDrop})
}

// spans is a set of addresses or ports.
func (t *table) spans(spans []span, of nftables.SetDatatype) (*nftables.Set, error) {
	key := digest(of.Name, fmt.Sprint(spans))
	if set, ok := t.sets[key]; ok {
		return set, nil
	}
	most := uint64(1)<<(8*of.Bytes) - 1
	encode := func(n uint64) []byte {
		return binary.BigEndian.AppendUint32(nil, uint32(n))[4-of.Bytes:]
	}
	var elements []nftables.SetElement
	if len(spans) > 0 && spans[0].first > 0 {
		elements = append(elements, nftables.SetElement{Key: encode(0), IntervalEnd: true})
	}
	for _, each := range spans {
		elements = append(elements, nftables.SetElement{Key: encode(uint64(each.first))})
		if uint64(each.last) < most {
			elements = append(elements, nftables.SetElement{Key: encode(uint64(each.last) + 1), IntervalEnd: true})
		}
	}
	set := &nftables.Set{Name: "s" + key, KeyType: of, Interval: true}
	t.sets[key] = set
	return set, t.set(set, elements)
}

func (t *table) set(set *nftables.Set, elements []nftables.SetElement) error {
	set.Table = t.table
	connection, err := t.next(1)
	if err != nil {
		return err
	}
	if err := connection.AddSet(set, nil); err != nil {
		return err
	}
	for chunk := range slices.Chunk(elements, mostElements) {
		// Of these a message is as large as several others.
		connection, err := t.next(mostMessages / 4)
		if err != nil {
			return err
		}
		if err := connection.SetAddElements(set, chunk); err != nil {
			return err
		}
	}
	return nil
}

func network(offset, length uint32) expr.Any {
	return &expr.Payload{DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: length}
}

func lookup(set *nftables.Set) expr.Any {
	return &expr.Lookup{SourceRegister: register, SetName: set.Name, SetID: set.ID}
}

func verdictOf(set *nftables.Set) expr.Any {
	return &expr.Lookup{SourceRegister: register, IsDestRegSet: true, SetName: set.Name, SetID: set.ID}
}

func equal(data []byte) expr.Any {
	return &expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: data}
}

func native(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }

// name is that of an interface, as the kernel compares it.
func name(of string) []byte { return append([]byte(of), make([]byte, unix.IFNAMSIZ-len(of))...) }

func digest(of ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(of, "\n")))
	return hex.EncodeToString(sum[:10])
}
