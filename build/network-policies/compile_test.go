package main

import (
	"net/netip"
	"reflect"
	"testing"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const (
	server = "10.5.0.2"
	client = "10.5.0.3"
	other  = "10.5.0.4"
)

func podAt(namespace, name, address string, ports ...core.ContainerPort) *core.Pod {
	return &core.Pod{
		ObjectMeta: meta.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": name}},
		Spec:       core.PodSpec{NodeName: "here", Containers: []core.Container{{Ports: ports}}},
		Status:     core.PodStatus{Phase: core.PodRunning, PodIPs: []core.PodIP{{IP: address}}},
	}
}

func named(name string, port int32) core.ContainerPort {
	return core.ContainerPort{Name: name, ContainerPort: port, Protocol: core.ProtocolTCP}
}

func app(name string) *meta.LabelSelector {
	return &meta.LabelSelector{MatchLabels: map[string]string{"app": name}}
}

func one(address string) span {
	n := number(netip.MustParseAddr(address))
	return span{n, n}
}

var everything = []*core.Pod{
	podAt("default", "server", server, named("web", 8080)),
	podAt("default", "client", client, named("web", 9090)),
	podAt("team", "client", other),
}

// of compiles one policy for the pods of app server, and returns what it makes of the one there is.
func of(spec networking.NetworkPolicySpec, pods ...*core.Pod) isolation {
	spec.PodSelector = *app("server")
	return compile(cluster{
		node:     "here",
		policies: []*networking.NetworkPolicy{{ObjectMeta: meta.ObjectMeta{Namespace: "default"}, Spec: spec}},
		pods:     append(pods, everything...),
		namespaces: []*core.Namespace{
			{ObjectMeta: meta.ObjectMeta{Name: "default"}},
			{ObjectMeta: meta.ObjectMeta{Name: "team", Labels: map[string]string{"app": "team"}}},
		},
	})[netip.MustParseAddr(server)]
}

func ingress(rules ...networking.NetworkPolicyIngressRule) networking.NetworkPolicySpec {
	return networking.NetworkPolicySpec{PolicyTypes: []networking.PolicyType{networking.PolicyTypeIngress}, Ingress: rules}
}

func from(peers ...networking.NetworkPolicyPeer) networking.NetworkPolicySpec {
	return ingress(networking.NetworkPolicyIngressRule{From: peers})
}

func to(peers []networking.NetworkPolicyPeer, ports ...networking.NetworkPolicyPort) networking.NetworkPolicySpec {
	return networking.NetworkPolicySpec{
		PolicyTypes: []networking.PolicyType{networking.PolicyTypeEgress},
		Egress:      []networking.NetworkPolicyEgressRule{{To: peers, Ports: ports}},
	}
}

func port(protocol core.Protocol, of intstr.IntOrString, end int32) networking.NetworkPolicyPort {
	port := networking.NetworkPolicyPort{Protocol: &protocol, Port: &of}
	if end != 0 {
		port.EndPort = &end
	}
	return port
}

func TestNothingIsIsolatedWithoutAPolicy(t *testing.T) {
	if all := compile(cluster{node: "here", pods: everything}); len(all) != 0 {
		t.Errorf("%v", all)
	}
}

func TestAPolicyIsolatesTheDirectionsThatItNames(t *testing.T) {
	got := of(ingress())
	if got.ingress == nil || len(got.ingress) != 0 || got.egress != nil {
		t.Errorf("%#v", got)
	}
}

func TestPoliciesAddUp(t *testing.T) {
	allow := func(name string) *networking.NetworkPolicy {
		spec := from(networking.NetworkPolicyPeer{PodSelector: app(name)})
		return &networking.NetworkPolicy{ObjectMeta: meta.ObjectMeta{Namespace: "default", Name: name}, Spec: spec}
	}
	all := compile(cluster{node: "here", pods: everything, policies: []*networking.NetworkPolicy{allow("server"), allow("client")}})
	want := []rule{{[]span{one(client)}, nil}, {[]span{one(server)}, nil}}
	if got := all[netip.MustParseAddr(server)].ingress; !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	if _, there := all[netip.MustParseAddr(other)]; there {
		t.Error("it holds in another namespace")
	}
}

func TestPeers(t *testing.T) {
	block := &networking.IPBlock{CIDR: "10.0.0.0/30", Except: []string{"10.0.0.1/32"}}
	at := func(address string) uint32 { return number(netip.MustParseAddr(address)) }
	for name, c := range map[string]struct {
		peers []networking.NetworkPolicyPeer
		want  []span
	}{
		"any":                     {nil, nil},
		"pods of this namespace":  {[]networking.NetworkPolicyPeer{{PodSelector: app("client")}}, []span{one(client)}},
		"all of a namespace":      {[]networking.NetworkPolicyPeer{{NamespaceSelector: app("team")}}, []span{one(other)}},
		"all of all namespaces":   {[]networking.NetworkPolicyPeer{{NamespaceSelector: &meta.LabelSelector{}}}, []span{{at(server), at(other)}}},
		"some of a namespace":     {[]networking.NetworkPolicyPeer{{NamespaceSelector: app("team"), PodSelector: app("server")}}, []span{}},
		"addresses but for some":  {[]networking.NetworkPolicyPeer{{IPBlock: block}}, []span{{at("10.0.0.0"), at("10.0.0.0")}, {at("10.0.0.2"), at("10.0.0.3")}}},
		"of IPv6, which is not":   {[]networking.NetworkPolicyPeer{{IPBlock: &networking.IPBlock{CIDR: "::/0"}}}, []span{}},
		"one or another":          {[]networking.NetworkPolicyPeer{{PodSelector: app("client")}, {NamespaceSelector: app("team")}}, []span{{at(client), at(other)}}},
		"all addresses there are": {[]networking.NetworkPolicyPeer{{IPBlock: &networking.IPBlock{CIDR: "0.0.0.0/0"}}}, []span{{0, 1<<32 - 1}}},
	} {
		got := of(from(c.peers...))
		if len(got.ingress) != 1 || !reflect.DeepEqual(got.ingress[0].peers, c.want) {
			t.Errorf("%s: %v", name, got.ingress)
		}
	}
}

func TestPorts(t *testing.T) {
	got := of(ingress(networking.NetworkPolicyIngressRule{Ports: []networking.NetworkPolicyPort{
		port(core.ProtocolTCP, intstr.FromInt32(80), 0),
		port(core.ProtocolTCP, intstr.FromString("web"), 0),
		port(core.ProtocolUDP, intstr.FromInt32(5000), 5010),
		{Protocol: new(core.ProtocolSCTP)},
	}}))
	want := map[core.Protocol][]span{
		core.ProtocolTCP: {{80, 80}, {8080, 8080}}, core.ProtocolUDP: {{5000, 5010}}, core.ProtocolSCTP: {{0, 65535}},
	}
	if len(got.ingress) != 1 || !reflect.DeepEqual(got.ingress[0].ports, want) {
		t.Errorf("%v", got.ingress)
	}
}

func TestANamedPortThatThePodLacksAllowsNothing(t *testing.T) {
	got := of(ingress(networking.NetworkPolicyIngressRule{
		Ports: []networking.NetworkPolicyPort{port(core.ProtocolUDP, intstr.FromString("web"), 0)},
	}))
	if got.ingress == nil || len(got.ingress) != 0 {
		t.Errorf("%#v", got)
	}
}

func TestOfEgressANamedPortIsWhatEachPeerCallsSo(t *testing.T) {
	web := port(core.ProtocolTCP, intstr.FromString("web"), 0)
	at := func(address string, port uint32) rule {
		return rule{[]span{one(address)}, map[core.Protocol][]span{core.ProtocolTCP: {{port, port}}}}
	}
	if got := of(to(nil, web)).egress; !reflect.DeepEqual(got, []rule{at(server, 8080), at(client, 9090)}) {
		t.Errorf("%v", got)
	}
	clients := []networking.NetworkPolicyPeer{{PodSelector: app("client")}}
	if got := of(to(clients, web)).egress; !reflect.DeepEqual(got, []rule{at(client, 9090)}) {
		t.Errorf("%v", got)
	}
}

func TestPodsWithoutAnAddressOfTheirOwnCountForNothing(t *testing.T) {
	host, ended, elsewhere := podAt("default", "client", "10.5.0.7"), podAt("default", "client", "10.5.0.8"), podAt("default", "server", "10.5.0.9")
	host.Spec.HostNetwork = true
	ended.Status.Phase = core.PodSucceeded
	elsewhere.Spec.NodeName = "there"
	got := of(from(networking.NetworkPolicyPeer{PodSelector: app("client")}), host, ended, elsewhere)
	if !reflect.DeepEqual(got.ingress[0].peers, []span{one(client)}) {
		t.Errorf("%v", got)
	}
}

func TestSpans(t *testing.T) {
	if got := merge([]span{{5, 6}, {1, 2}, {3, 4}, {9, 9}, {4, 4}}); !reflect.DeepEqual(got, []span{{1, 6}, {9, 9}}) {
		t.Errorf("%v", got)
	}
	if got := subtract(span{0, 1<<32 - 1}, []span{{0, 4}, {10, 1<<32 - 1}}); !reflect.DeepEqual(got, []span{{5, 9}}) {
		t.Errorf("%v", got)
	}
	if got := subtract(span{5, 6}, []span{{1, 9}}); got != nil {
		t.Errorf("%v", got)
	}
}
