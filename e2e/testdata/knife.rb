# A client of cookbooks: it sends what knife and Berkshelf send, signed by the
# library that they sign with, and is as strict as they are about the answers.
#
#   knife.rb share SITE USER KEY FORM ARCHIVE NAME [CATEGORY]   FORM is 1.0, 1.1 or 1.3
#   knife.rb unshare SITE USER KEY NAME [VERSION]
#   knife.rb list SITE | search SITE WORD | show SITE NAME [VERSION]
#   knife.rb download SITE NAME [VERSION]                       into NAME-VERSION.tar.gz
#   knife.rb install SITE NAME CONSTRAINT                       and all that it needs
#   knife.rb deprecate SITE USER KEY NAME REPLACEMENT
require "json"
require "openssl" # before the library, which defines a part of it
require "mixlib/authentication/signedheaderauth"
require "net/http"
require "stringio"
require "time"

def fail!(text)
  puts text
  exit 1
end

def send_request(request, uri)
  Net::HTTP.start(uri.host, uri.port) { |http| http.request(request) }
end

# get reads a URL without a credential, as knife and Berkshelf do.
def get(url)
  uri = URI(url)
  request = Net::HTTP::Get.new(uri)
  request.basic_auth(uri.user, uri.password) if uri.user
  send_request(request, uri)
end

def document(url)
  response = get(url)
  body = JSON.parse(response.body)
  fail! "#{response.code}: #{body["error_messages"].first}" unless response.code == "200"
  body
end

# signed sends a request signed with the user's key. What is signed of a form is
# the file.
def signed(request, uri, user, key, form, body, file: nil)
  headers = { "X-Ops-Server-API-Version" => "1" }
  object = Mixlib::Authentication::SignedHeaderAuth.signing_object(
    http_method: request.method.downcase.to_sym, path: uri.path, body: body, file: file, host: uri.host,
    timestamp: (Time.now.utc + ENV.fetch("CLOCK", "0").to_i).iso8601, user_id: user, proto_version: form, headers: headers
  )
  request.initialize_http_header(object.sign(OpenSSL::PKey::RSA.new(File.read(key))).merge(headers))
  yield request if block_given?
  response = send_request(request, uri)
  [response.code, JSON.parse(response.body)] # knife takes every answer for JSON
end

def share(site, user, key, form, archive, name, category = nil)
  known = get("#{site}/api/v1/cookbooks/#{name}")
  case known.code
  when "200" then category ||= JSON.parse(known.body).fetch("category")
  when "404" then category ||= "Other"
  else fail! "cannot learn the category: #{known.code}"
  end
  uri = URI("#{site}/api/v1/cookbooks")
  content = File.binread(archive)
  code, body = signed(Net::HTTP::Post.new(uri), uri, user, key, form, nil, file: StringIO.new(content)) do |request|
    content << "x" if ENV["TAMPER"] == "yes"
    request.set_form([["cookbook", JSON.generate(category: category)], ["tarball", StringIO.new(content), { filename: "#{name}.tgz" }]], "multipart/form-data")
  end
  return puts "Upload complete: #{body.fetch("uri")}" if code == "201"

  message = body.fetch("error_messages").first
  fail! "The same version of this cookbook already exists on Supermarket." if message =~ /Version already exists/
  fail! "#{code}: #{message}"
end

def unshare(site, user, key, name, version = nil)
  uri = URI("#{site}/api/v1/cookbooks/#{name}#{"/versions/#{version}" if version}")
  code, body = signed(Net::HTTP::Delete.new(uri), uri, user, key, "1.1", "")
  fail! "#{code}: #{body["error_messages"].first}" unless code == "200"
  puts "Unshared #{name} #{version}".strip
end

def deprecate(site, user, key, name, replacement)
  uri = URI("#{site}/api/v1/cookbooks/#{name}/deprecate")
  text = JSON.generate(replacement: replacement)
  code, body = signed(Net::HTTP::Put.new(uri), uri, user, key, "1.3", text) { |request| request.body = text }
  fail! "#{code}: #{body["error_messages"].first}" unless code == "200"
end

def each_item(url)
  start = 0
  loop do
    page = document("#{url}#{url.include?("?") ? "&" : "?"}items=2&start=#{start}")
    page.fetch("items").each { |item| yield item }
    start += page.fetch("items").length
    break if start >= page.fetch("total")
    fail! "the list does not end" if page["items"].empty?
  end
end

def print_items(url)
  each_item(url) { |item| puts "#{item.fetch("cookbook_name")} #{item.fetch("cookbook_maintainer")}: #{item.fetch("cookbook_description")}" }
end

def show(site, name, version = nil)
  path = "#{site}/api/v1/cookbooks/#{name}"
  puts JSON.pretty_generate(document(version ? "#{path}/versions/#{version.tr(".", "_")}" : path))
end

# fetch downloads an archive, following redirects, and checks its length.
def fetch(url, size)
  response = get(url)
  response = get(response["location"]) while %w{301 302 303 307}.include?(response.code)
  fail! "#{response.code} at #{url}" unless response.code == "200"
  fail! "#{url} has #{response.body.bytesize} bytes" if response["content-length"].to_i != response.body.bytesize || size && size != response.body.bytesize
  response.body
end

def download(site, name, version = nil)
  cookbook = document("#{site}/api/v1/cookbooks/#{name}")
  if cookbook.fetch("deprecated")
    name = cookbook.fetch("replacement").split("/").last
    puts "This cookbook has been deprecated. It has been replaced by #{name}."
    cookbook = document(cookbook["replacement"])
  end
  told = document(version ? "#{site}/api/v1/cookbooks/#{name}/versions/#{version.tr(".", "_")}" : cookbook.fetch("latest_version"))
  File.binwrite("#{name}-#{told.fetch("version")}.tar.gz", fetch(told.fetch("file"), told.fetch("tarball_file_size")))
  puts "Cookbook saved: #{name}-#{told["version"]}.tar.gz"
end

# install resolves by the universe alone, the highest versions first, and
# downloads what it found.
def install(site, name, constraint)
  universe = document("#{site}/universe")
  chosen = resolve(universe, [[name, constraint]], {}) or fail! "Unable to satisfy constraints on #{name} (#{constraint})"
  chosen.sort.each do |cookbook, version|
    entry = universe[cookbook][version]
    fail! "location_type is #{entry["location_type"]}" unless entry["location_type"] == "opscode"
    document("#{entry.fetch("location_path")}/cookbooks/#{cookbook}")
    File.binwrite("#{cookbook}-#{version}.tar.gz", fetch(entry.fetch("download_url"), nil))
    puts "Installing #{cookbook} (#{version})"
  end
end

def resolve(universe, wanted, chosen)
  return chosen if wanted.empty?

  (name, constraint), *rest = wanted
  requirement = Gem::Requirement.new(constraint)
  if chosen[name]
    return requirement.satisfied_by?(Gem::Version.new(chosen[name])) ? resolve(universe, rest, chosen) : nil
  end
  versions = universe.fetch(name, {}).keys.select { |v| requirement.satisfied_by?(Gem::Version.new(v)) }
  versions.sort_by { |v| Gem::Version.new(v) }.reverse_each do |version|
    found = resolve(universe, rest + universe[name][version].fetch("dependencies").to_a, chosen.merge(name => version))
    return found if found
  end
  nil
end

command, site, *rest = ARGV
case command
when "list" then print_items("#{site}/api/v1/cookbooks")
when "search" then print_items("#{site}/api/v1/search?q=#{rest.first}")
when "share", "unshare", "deprecate", "show", "download", "install" then send(command, site, *rest)
else abort "unknown command #{command}"
end
