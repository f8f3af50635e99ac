package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// The cluster, as far as policies go by it.
type cluster struct {
	node       string
	policies   []*networking.NetworkPolicy
	pods       []*core.Pod
	namespaces []*core.Namespace
}

// A rule allows what comes from, or goes to, one of the peers on one of the ports.
type rule struct {
	// Nil means any.
	peers []span
	// By protocol; nil means any, of ICMP, too.
	ports map[core.Protocol][]span
}

// What one pod of this node may do; nil is everything, no rules are nothing.
type isolation struct {
	ingress, egress []rule
}

// A peer is a pod with an address of its own.
type peer struct {
	pod     *core.Pod
	address netip.Addr
}

// compile says for each pod of this node that a policy selects, by its address, what is allowed.
func compile(c cluster) map[netip.Addr]isolation {
	isolated := map[netip.Addr]isolation{}
	if len(c.policies) == 0 {
		return isolated
	}
	s := selection{namespaces: map[string]labels.Set{}}
	for _, namespace := range c.namespaces {
		s.namespaces[namespace.Name] = namespace.Labels
	}
	for _, pod := range c.pods {
		if address, ok := addressOf(pod); ok {
			s.peers = append(s.peers, peer{pod, address})
		}
	}
	// What is the same is to look the same, in whatever order it came.
	policies := slices.SortedFunc(slices.Values(c.policies), func(a, b *networking.NetworkPolicy) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	for _, policy := range policies {
		selector := selectorOf(&policy.Spec.PodSelector)
		for _, each := range s.peers {
			pod := each.pod
			if pod.Spec.NodeName != c.node || pod.Namespace != policy.Namespace || !selector.Matches(labels.Set(pod.Labels)) {
				continue
			}
			isolated[each.address] = s.with(isolated[each.address], policy, pod)
		}
	}
	return isolated
}

// addressOf is the pod's own address, while it has one: those of the node are not for policies.
func addressOf(pod *core.Pod) (netip.Addr, bool) {
	if pod.Spec.HostNetwork || pod.Status.Phase == core.PodSucceeded || pod.Status.Phase == core.PodFailed {
		return netip.Addr{}, false
	}
	for _, each := range pod.Status.PodIPs {
		if address, err := netip.ParseAddr(each.IP); err == nil && address.Is4() {
			return address, true
		}
	}
	return netip.Addr{}, false
}

type selection struct {
	peers      []peer
	namespaces map[string]labels.Set
}

// with adds what a policy says of a pod that it selects. A direction that it limits has rules from then on, be they none.
func (s selection) with(before isolation, policy *networking.NetworkPolicy, pod *core.Pod) isolation {
	after := before
	if limits(policy, networking.PolicyTypeIngress) {
		after.ingress = append([]rule{}, before.ingress...)
		for _, each := range policy.Spec.Ingress {
			peers := s.peersOf(each.From, policy.Namespace)
			if ports, some := portsOf(each.Ports, pod); some {
				after.ingress = append(after.ingress, rule{peers, ports})
			}
		}
	}
	if limits(policy, networking.PolicyTypeEgress) {
		after.egress = append([]rule{}, before.egress...)
		for _, each := range policy.Spec.Egress {
			peers := s.peersOf(each.To, policy.Namespace)
			if ports, some := portsOf(each.Ports, nil); some {
				after.egress = append(after.egress, rule{peers, ports})
			}
			after.egress = append(after.egress, s.byNamedPorts(each.Ports, peers)...)
		}
	}
	return after
}

func limits(policy *networking.NetworkPolicy, direction networking.PolicyType) bool {
	return slices.Contains(policy.Spec.PolicyTypes, direction)
}

// peersOf is the addresses that a rule names; nil for any, empty for none.
func (s selection) peersOf(named []networking.NetworkPolicyPeer, namespace string) []span {
	if len(named) == 0 {
		return nil
	}
	spans := []span{}
	for _, each := range named {
		if each.IPBlock != nil {
			spans = append(spans, block(each.IPBlock)...)
			continue
		}
		for _, other := range s.peers {
			if s.selects(each, other.pod, namespace) {
				one := number(other.address)
				spans = append(spans, span{one, one})
			}
		}
	}
	return merge(spans)
}

func block(named *networking.IPBlock) []span {
	whole, ok := spanOf(named.CIDR)
	if !ok {
		return nil
	}
	var holes []span
	for _, except := range named.Except {
		if hole, ok := spanOf(except); ok {
			holes = append(holes, hole)
		}
	}
	return subtract(whole, holes)
}

// selects tells whether a peer of a rule is that pod. Without a selector for namespaces it is one of the policy's own.
func (s selection) selects(named networking.NetworkPolicyPeer, pod *core.Pod, namespace string) bool {
	if named.NamespaceSelector == nil {
		if named.PodSelector == nil || pod.Namespace != namespace {
			return false
		}
	} else {
		of, known := s.namespaces[pod.Namespace]
		if !known || !selectorOf(named.NamespaceSelector).Matches(of) {
			return false
		}
	}
	return named.PodSelector == nil || selectorOf(named.PodSelector).Matches(labels.Set(pod.Labels))
}

// selectorOf selects nothing if it is not valid: the API server lets no such thing in.
func selectorOf(selector *meta.LabelSelector) labels.Selector {
	parsed, err := meta.LabelSelectorAsSelector(selector)
	if err != nil {
		return labels.Nothing()
	}
	return parsed
}

// portsOf is the ports that a rule names by number, and those that it names as the pod does, if there is one. False if
// ports are named, but none of them is there.
func portsOf(named []networking.NetworkPolicyPort, pod *core.Pod) (map[core.Protocol][]span, bool) {
	if len(named) == 0 {
		return nil, true
	}
	ports := map[core.Protocol][]span{}
	for _, each := range named {
		protocol := protocolOf(each)
		switch {
		case each.Port == nil:
			ports[protocol] = append(ports[protocol], span{0, 65535})
		case each.Port.Type == intstr.Int:
			first := uint32(each.Port.IntVal)
			last := first
			if each.EndPort != nil {
				last = uint32(*each.EndPort)
			}
			ports[protocol] = append(ports[protocol], span{first, last})
		case pod != nil:
			if port, ok := portNamed(pod, each.Port.StrVal, protocol); ok {
				ports[protocol] = append(ports[protocol], span{port, port})
			}
		}
	}
	for protocol, spans := range ports {
		ports[protocol] = merge(spans)
	}
	return ports, len(ports) > 0
}

// byNamedPorts allows each of the peers on the port that it calls so, which may be another one with each.
func (s selection) byNamedPorts(named []networking.NetworkPolicyPort, peers []span) []rule {
	var rules []rule
	for _, each := range named {
		if each.Port == nil || each.Port.Type != intstr.String {
			continue
		}
		protocol := protocolOf(each)
		peersAt := map[uint32][]span{}
		for _, other := range s.peers {
			one := number(other.address)
			port, ok := portNamed(other.pod, each.Port.StrVal, protocol)
			if ok && (peers == nil || contains(peers, one)) {
				peersAt[port] = append(peersAt[port], span{one, one})
			}
		}
		for port, at := range peersAt {
			rules = append(rules, rule{merge(at), map[core.Protocol][]span{protocol: {{port, port}}}})
		}
	}
	slices.SortFunc(rules, func(a, b rule) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return rules
}

func contains(spans []span, one uint32) bool {
	return slices.ContainsFunc(spans, func(each span) bool { return each.first <= one && one <= each.last })
}

func protocolOf(port networking.NetworkPolicyPort) core.Protocol {
	if port.Protocol == nil {
		return core.ProtocolTCP
	}
	return *port.Protocol
}

// portNamed looks in the containers that go on running, of which init containers may be some.
func portNamed(pod *core.Pod, name string, protocol core.Protocol) (uint32, bool) {
	for _, container := range slices.Concat(pod.Spec.Containers, pod.Spec.InitContainers) {
		for _, port := range container.Ports {
			if port.Name == name && (port.Protocol == protocol || port.Protocol == "" && protocol == core.ProtocolTCP) {
				return uint32(port.ContainerPort), true
			}
		}
	}
	return 0, false
}
