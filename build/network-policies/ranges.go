package main

import (
	"cmp"
	"net/netip"
	"slices"
)

// A span is numbers from first to last: addresses of IPv4, or ports.
type span struct{ first, last uint32 }

// merge sorts spans and makes one of those that overlap or touch.
func merge(spans []span) []span {
	sorted := slices.Clone(spans)
	slices.SortFunc(sorted, func(a, b span) int { return cmp.Compare(a.first, b.first) })
	merged := sorted[:0]
	for _, next := range sorted {
		end := len(merged) - 1
		if end >= 0 && uint64(next.first) <= uint64(merged[end].last)+1 {
			merged[end].last = max(merged[end].last, next.last)
		} else {
			merged = append(merged, next)
		}
	}
	return merged
}

// subtract takes holes out of a span.
func subtract(whole span, holes []span) []span {
	var rest []span
	first := uint64(whole.first)
	for _, hole := range merge(holes) {
		if hole.last < whole.first || hole.first > whole.last {
			continue
		}
		if uint64(hole.first) > first {
			rest = append(rest, span{uint32(first), hole.first - 1})
		}
		first = uint64(hole.last) + 1
	}
	if first <= uint64(whole.last) {
		rest = append(rest, span{uint32(first), whole.last})
	}
	return rest
}

// spanOf is the addresses of a CIDR; false for one that is not of IPv4.
func spanOf(cidr string) (span, bool) {
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil || !prefix.Addr().Is4() {
		return span{}, false
	}
	first := number(prefix.Masked().Addr())
	return span{first, first + uint32(uint64(1)<<(32-prefix.Bits())-1)}, true
}

// number is an address of IPv4 as such.
func number(address netip.Addr) uint32 {
	bytes := address.As4()
	return uint32(bytes[0])<<24 | uint32(bytes[1])<<16 | uint32(bytes[2])<<8 | uint32(bytes[3])
}
