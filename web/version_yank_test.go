package web_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"mime/multipart"
	"net/http"
	"testing"
)

// publishWheel publishes a Python wheel with nothing in it but its metadata.
func (a *app) publishWheel(login, owner, name, version string) {
	a.t.Helper()
	var wheel, body bytes.Buffer
	archive, form := zip.NewWriter(&wheel), multipart.NewWriter(&body)
	info := name + "-" + version + ".dist-info/"
	for _, f := range [][2]string{{"METADATA", "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n"}, {"WHEEL", ""}} {
		w, err := archive.Create(info + f[0])
		if err != nil {
			a.t.Fatal(err)
		}
		if _, err := w.Write([]byte(f[1])); err != nil {
			a.t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		a.t.Fatal(err)
	}
	for _, f := range [][2]string{{"name", name}, {"version", version}, {"sha256_digest", fmt.Sprintf("%x", sha256.Sum256(wheel.Bytes()))}} {
		if err := form.WriteField(f[0], f[1]); err != nil {
			a.t.Fatal(err)
		}
	}
	w, err := form.CreateFormFile("content", name+"-"+version+"-py3-none-any.whl")
	if err != nil {
		a.t.Fatal(err)
	}
	if _, err := w.Write(wheel.Bytes()); err != nil {
		a.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		a.t.Fatal(err)
	}
	a.Want(a.t, http.StatusCreated, login, http.MethodPost, "/api/packages/"+owner+"/pypi/", body.String(), "Content-Type", form.FormDataContentType())
}

func TestYankVersion(t *testing.T) {
	a := withPackages(t)
	for _, version := range []string{"1.0", "1.1"} {
		a.publishWheel("wim", "acme", "lib", version)
	}
	b := a.as("wim")
	page, form := "/acme/pypi/lib/v/1.1", "/acme/pypi/lib/v/1.1/yank"
	b.get(page).want(200).has("a[href='"+form+"']", "Yank it")
	b.get(form).want(200).has("h1", "Yank version 1.1").has("label", "Reason").has("button", "Yank version")
	a.as("rea").post(form, "reason", "no").want(403)
	b.post(form, "reason", "It leaks").want(200).at("/acme/pypi/lib/versions").has("[role=status]", "Version 1.1 is yanked").has("main", "It leaks")
	b.get("/acme/pypi/lib").want(200).has("h1", "1.0")
	b.get(page).want(200).has("main", "It leaks").has("a[href='"+form+"']", "Offer it again")
	b.get(form).want(200).has("button", "Offer version again")
	b.post(form).want(200).at("/acme/pypi/lib/versions").has("[role=status]", "Version 1.1 is offered again")
	b.get("/acme/pypi/lib").want(200).has("h1", "1.1")

	// Readers see no link, and types without yanking have no page.
	if n := a.as("rea").get(page).want(200).Find("a[href='" + form + "']").Length(); n != 0 {
		t.Errorf("a reader is offered %d links", n)
	}
	b.get("/acme/generic/app/v/1.0.0/yank").want(404)
}
