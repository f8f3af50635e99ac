package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// A server with one pod, web, on n1, whose container has been measured, and one that has not.
func testServer(now *time.Time) *server {
	s := newStore()
	s.put(nodeReport{
		Node: "n1", At: noon, Use: use{1_500_000_000, 3 << 30, 15 * time.Second},
		Containers: []containerReport{
			{"ns", "web", "u1", "app", use{250_000_000, 100 << 20, 15 * time.Second}},
			{"ns", "before", "u0", "app", use{1, 1, time.Second}},
		},
	}, noon)
	list := func(_ context.Context, path string, query url.Values) ([]object, error) {
		named := func(name, uid string) object {
			var o object
			o.Metadata.Name, o.Metadata.UID = name, uid
			o.Metadata.Labels = map[string]string{"app": name}
			return o
		}
		switch {
		case query.Get("labelSelector") == "(":
			return nil, &statusError{http.StatusBadRequest, "unable to parse"}
		case query.Get("fieldSelector") == "metadata.name=other" || query.Get("labelSelector") == "app=other":
			return []object{named("other", "u2")}, nil
		case path == "/api/v1/nodes":
			return []object{named("n1", ""), named("n2", "")}, nil
		case path == "/api/v1/pods" || path == "/api/v1/namespaces/ns/pods":
			return []object{named("web", "u1"), named("other", "u2"), named("before", "new")}, nil
		}
		return nil, nil
	}
	return &server{s, list, func() time.Time { return *now }}
}

func ask(s *server, method, path, body string, headers map[string]string) (int, map[string]any) {
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	recorder := httptest.NewRecorder()
	s.routes().ServeHTTP(recorder, request)
	var answer map[string]any
	_ = json.Unmarshal(recorder.Body.Bytes(), &answer)
	return recorder.Code, answer
}

func TestPodsHaveTheUseOfTheirContainers(t *testing.T) {
	now := noon
	code, list := ask(testServer(&now), "GET", groupVersionPath+"/namespaces/ns/pods", "", nil)
	expect(t, "status", code, 200)
	items := list["items"].([]any)
	expect(t, "pods with metrics; one of the same name as another before has none", len(items), 1)
	text, _ := json.Marshal(items[0])
	expect(t, "pod", string(text), `{"apiVersion":"metrics.k8s.io/v1beta1","containers":[{"name":"app","usage":`+
		`{"cpu":"250000000n","memory":"102400Ki"}}],"kind":"PodMetrics","metadata":{"creationTimestamp":`+
		`"2026-01-02T12:00:00Z","labels":{"app":"web"},"name":"web"},"timestamp":"2026-01-02T12:00:00Z","window":"15s"}`)
}

func TestNodesThatHandedInHaveUse(t *testing.T) {
	now := noon
	s := testServer(&now)
	_, list := ask(s, "GET", groupVersionPath+"/nodes", "", nil)
	items := list["items"].([]any)
	expect(t, "nodes", len(items), 1)
	expect(t, "cpu", items[0].(map[string]any)["usage"].(map[string]any)["cpu"], any("1500000000n"))
	now = noon.Add(2 * time.Minute)
	_, list = ask(s, "GET", groupVersionPath+"/nodes", "", nil)
	expect(t, "nodes of which nothing was heard for long", len(list["items"].([]any)), 0)
}

func TestSelectorsAreTheAPIsToApply(t *testing.T) {
	now := noon
	_, list := ask(testServer(&now), "GET", groupVersionPath+"/pods?labelSelector=app%3Dother", "", nil)
	expect(t, "pods", len(list["items"].([]any)), 0)
	code, status := ask(testServer(&now), "GET", groupVersionPath+"/pods?labelSelector=(", "", nil)
	expect(t, "status of a bad selector", code, 400)
	expect(t, "reason", status["reason"], any("BadRequest"))
}

func TestOneThatHasNoMetricsIsNotFound(t *testing.T) {
	now := noon
	code, status := ask(testServer(&now), "GET", groupVersionPath+"/namespaces/ns/pods/other", "", nil)
	expect(t, "status", code, 404)
	expect(t, "reason", status["reason"], any("NotFound"))
}

func TestATableForKubectlGet(t *testing.T) {
	now := noon
	_, table := ask(testServer(&now), "GET", groupVersionPath+"/pods", "",
		map[string]string{"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"})
	text, _ := json.Marshal(table["rows"].([]any)[0].(map[string]any)["cells"])
	expect(t, "cells", string(text), `["web","250m","100Mi","15s"]`)
}

func TestANodeHandsInForItselfOnly(t *testing.T) {
	now := noon
	s := testServer(&now)
	body := `{"node":"n1","at":"2026-01-02T12:00:00Z","use":{"cpu":7,"memory":8,"window":9},"containers":[]}`
	put := func(user string) int {
		code, _ := ask(s, "PUT", groupVersionPath+"/nodes/n2", body, map[string]string{"X-Remote-User": user})
		return code
	}
	for _, user := range []string{"", "kubernetes-admin", nodeUser, nodeUser + "n1"} {
		expect(t, user, put(user), 403)
	}
	expect(t, "itself", put(nodeUser+"n2"), 200)
	_, list := ask(s, "GET", groupVersionPath+"/nodes", "", nil)
	expect(t, "nodes, under the name that it may use", len(list["items"].([]any)), 2)
}

func TestOnlyTheAPIServerMayAsk(t *testing.T) {
	handler := onlyFrom("front-proxy-client", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	ask := func(state *tls.ConnectionState) int {
		request := httptest.NewRequest("GET", "/", nil)
		request.TLS = state
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		return recorder.Code
	}
	verified := func(name string) *tls.ConnectionState {
		certificate := &x509.Certificate{Subject: pkix.Name{CommonName: name}}
		return &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{certificate}}}
	}
	expect(t, "without TLS", ask(nil), 401)
	expect(t, "without a certificate", ask(&tls.ConnectionState{}), 401)
	expect(t, "with another name", ask(verified("admin")), 401)
	expect(t, "the API server", ask(verified("front-proxy-client")), 200)
}
