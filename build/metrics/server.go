package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	group            = "metrics.k8s.io"
	groupVersion     = group + "/v1beta1"
	groupVersionPath = "/apis/" + groupVersion
	// Who hands in for a node has this name, followed by the node's.
	nodeUser = "usernetes:metrics:"
	maxBody  = 8 << 20
)

type lister func(ctx context.Context, path string, query url.Values) ([]object, error)

// A server answers the API server and nobody else: that has found out who asks, and whether they may.
type server struct {
	store *store
	list  lister
	clock func() time.Time
}

func newServer(o options, store *store, api *api) (*http.Server, error) {
	clients, err := authority(o.proxyCA)
	if err != nil {
		return nil, err
	}
	cert, err := tls.LoadX509KeyPair(o.serverCert, o.serverKey)
	if err != nil {
		return nil, err
	}
	return &http.Server{
		Addr:    o.listen,
		Handler: onlyFrom(o.proxyName, (&server{store, api.list, time.Now}).routes()),
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{cert},
			ClientAuth:   tls.RequireAndVerifyClientCert,
			ClientCAs:    clients,
			MinVersion:   tls.VersionTLS12,
		},
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		IdleTimeout:       2 * time.Minute,
	}, nil
}

// onlyFrom refuses clients whose certificate, which is one of the authority's, has another name.
func onlyFrom(name string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 || r.TLS.VerifiedChains[0][0].Subject.CommonName != name {
			answerError(w, &statusError{http.StatusUnauthorized, "only the API server may ask"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /apis/"+group, fixed(apiGroup))
	mux.HandleFunc("GET "+groupVersionPath, fixed(resources))
	mux.HandleFunc("GET "+groupVersionPath+"/nodes", s.nodes)
	mux.HandleFunc("GET "+groupVersionPath+"/nodes/{name}", s.nodes)
	mux.HandleFunc("PUT "+groupVersionPath+"/nodes/{name}", s.receive)
	mux.HandleFunc("GET "+groupVersionPath+"/pods", s.pods)
	mux.HandleFunc("GET "+groupVersionPath+"/namespaces/{namespace}/pods", s.pods)
	mux.HandleFunc("GET "+groupVersionPath+"/namespaces/{namespace}/pods/{name}", s.pods)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		answerError(w, &statusError{http.StatusNotFound, "the server has no such page"})
	})
	return mux
}

// receive takes what a node hands in; each may speak for itself only.
func (s *server) receive(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if r.Header.Get("X-Remote-User") != nodeUser+name {
		answerError(w, &statusError{http.StatusForbidden, "a node hands in for itself only"})
		return
	}
	var report nodeReport
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&report); err != nil {
		answerError(w, &statusError{http.StatusBadRequest, err.Error()})
		return
	}
	report.Node = name
	s.store.put(report, s.clock())
	answer(w, map[string]string{"kind": "Status", "apiVersion": "v1", "status": "Success"})
}

func (s *server) nodes(w http.ResponseWriter, r *http.Request) {
	reports := map[string]kept{}
	for _, each := range s.store.fresh(s.clock()) {
		reports[each.Node] = each
	}
	s.answerFor(w, r, "nodes", "/api/v1/nodes", func(o object) (metrics, bool) {
		report, known := reports[o.Metadata.Name]
		if !known {
			return metrics{}, false
		}
		used := report.Use.amounts()
		return metrics{Kind: "NodeMetrics", of: report.Use, At: report.At, Usage: &used}, true
	})
}

func (s *server) pods(w http.ResponseWriter, r *http.Request) {
	path := "/api/v1/pods"
	if namespace := r.PathValue("namespace"); namespace != "" {
		path = "/api/v1/namespaces/" + url.PathEscape(namespace) + "/pods"
	}
	type found struct {
		at   time.Time
		uses []containerReport
	}
	byUID := map[string]*found{}
	for _, report := range s.store.fresh(s.clock()) {
		for _, each := range report.Containers {
			if byUID[each.UID] == nil {
				byUID[each.UID] = &found{at: report.At}
			}
			byUID[each.UID].uses = append(byUID[each.UID].uses, each)
		}
	}
	s.answerFor(w, r, "pods", path, func(o object) (metrics, bool) {
		pod, known := byUID[o.Metadata.UID]
		if !known {
			return metrics{}, false
		}
		m := metrics{Kind: "PodMetrics", At: pod.at}
		for _, each := range pod.uses {
			m.Containers = append(m.Containers, containerMetrics{each.Name, each.Use.amounts()})
			m.of.CPU += each.Use.CPU
			m.of.Memory += each.Use.Memory
			m.of.Window = max(m.of.Window, each.Use.Window)
		}
		return m, true
	})
}

// answerFor answers with the metrics of the objects at `path` that are asked for: of one by its name, or of those that
// selectors choose, which the API server knows how to apply.
func (s *server) answerFor(w http.ResponseWriter, r *http.Request, resource, path string,
	metricsOf func(object) (metrics, bool)) {
	query := r.URL.Query()
	name := r.PathValue("name")
	if name != "" {
		query = url.Values{"fieldSelector": {"metadata.name=" + name}}
	}
	objects, err := s.list(r.Context(), path, query)
	if err != nil {
		answerError(w, err)
		return
	}
	items := []metrics{}
	for _, each := range objects {
		m, known := metricsOf(each)
		if !known {
			continue
		}
		m.describe(each, s.clock())
		items = append(items, m)
	}
	asTable := strings.Contains(r.Header.Get("Accept"), "as=Table")
	switch {
	case name != "" && len(items) == 0:
		answerError(w, &statusError{http.StatusNotFound, "no metrics are known of " + resource + " " + name})
	case asTable:
		answer(w, tableOf(items))
	case name != "":
		answer(w, items[0])
	default:
		answer(w, listOf(resource, items))
	}
}

func fixed(value any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { answer(w, value) }
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // the client may be gone
}

var reasons = map[int]string{
	http.StatusBadRequest:   "BadRequest",
	http.StatusUnauthorized: "Unauthorized",
	http.StatusForbidden:    "Forbidden",
	http.StatusNotFound:     "NotFound",
}

func answerError(w http.ResponseWriter, err error) {
	code, reason := http.StatusServiceUnavailable, "ServiceUnavailable"
	var status *statusError
	if errors.As(err, &status) && reasons[status.code] != "" {
		code, reason = status.code, reasons[status.code]
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"kind": "Status", "apiVersion": "v1", "metadata": struct{}{},
		"status": "Failure", "message": err.Error(), "reason": reason, "code": code,
	})
}
