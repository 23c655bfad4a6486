package app

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"time"

	"parley/api"
	"parley/platform/fault"
)

type openapiCmd struct {
	YAML bool `name:"yaml" help:"Write YAML in place of JSON."`
}

func (c *openapiCmd) plain(ctx context.Context, r *Run) error {
	a, err := api.New(api.Deps{Now: time.Now, Version: version()})
	if err != nil {
		return err
	}
	defer a.Close()
	path := "/api/openapi.json"
	if c.YAML {
		path = "/api/openapi.yaml"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, path, http.NoBody)
	if err != nil {
		return err
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, req)
	if w.Code != http.StatusOK {
		return fault.New(fault.Internal, "the document could not be made (status %d)", w.Code)
	}
	_, err = r.Out.Write(append(bytes.TrimRight(w.Body.Bytes(), "\n"), '\n'))
	return err
}
