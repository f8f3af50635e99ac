package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"
)

// A client of the API server.
type api struct {
	server string
	client *http.Client
}

func newAPI(server, caFile, certFile, keyFile string) (*api, error) {
	// It is renewed while the node runs, so that each connection reads it anew.
	own := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		cert, err := tls.LoadX509KeyPair(certFile, keyFile)
		return &cert, err
	}
	if _, err := own(nil); err != nil {
		return nil, err
	}
	roots, err := authority(caFile)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{
			RootCAs: roots, GetClientCertificate: own, MinVersion: tls.VersionTLS12,
		},
		MaxIdleConns:        1,
		IdleConnTimeout:     90 * time.Second,
		TLSHandshakeTimeout: 5 * time.Second,
	}
	return &api{server, &http.Client{Transport: transport, Timeout: 10 * time.Second}}, nil
}

func authority(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate", file)
	}
	return pool, nil
}

// handIn gives the report of this node to the one that serves, through the API server, which knows who we are.
func (a *api) handIn(ctx context.Context, report nodeReport) error {
	body, err := json.Marshal(report)
	if err != nil {
		return err
	}
	path := groupVersionPath + "/nodes/" + url.PathEscape(report.Node)
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, a.server+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		return refusal(response)
	}
	return nil
}

// As much of an object as its metrics show.
type object struct {
	Metadata struct {
		Name      string            `json:"name"`
		Namespace string            `json:"namespace"`
		UID       string            `json:"uid"`
		Labels    map[string]string `json:"labels"`
	} `json:"metadata"`
}

// list returns the metadata of the objects at `path` that the selectors of `query` choose.
func (a *api) list(ctx context.Context, path string, query url.Values) ([]object, error) {
	selection := url.Values{"resourceVersion": {"0"}}
	for _, name := range []string{"labelSelector", "fieldSelector"} {
		if value := query.Get(name); value != "" {
			selection.Set(name, value)
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.server+path+"?"+selection.Encode(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
	response, err := a.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, refusal(response)
	}
	var found struct{ Items []object }
	if err := json.NewDecoder(response.Body).Decode(&found); err != nil {
		return nil, err
	}
	return found.Items, nil
}

// A statusError is the answer of an API: what it says, and its HTTP status.
type statusError struct {
	code    int
	message string
}

func (e *statusError) Error() string { return e.message }

func refusal(response *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	var status struct{ Message string }
	if json.Unmarshal(body, &status) != nil || status.Message == "" {
		status.Message = fmt.Sprintf("%s: %s", response.Status, bytes.TrimSpace(body))
	}
	return &statusError{response.StatusCode, status.Message}
}
