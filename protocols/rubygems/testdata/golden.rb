require "rubygems/package"
require "tmpdir"
out = ARGV[0]
def build(out, name, version, platform = nil)
  Dir.mktmpdir do |d|
    Dir.chdir(d) do
      File.write("a.rb", "module A; end\n")
      s = Gem::Specification.new do |s|
        s.name = name; s.version = version; s.platform = platform if platform
        s.summary = "Sümmary"; s.description = "Long\ntext"; s.authors = ["Ann", "Bob"]; s.email = "a@example.com"
        s.homepage = "https://example.com/a"; s.licenses = ["MIT"]; s.files = ["a.rb"]; s.require_paths = ["."]
        s.metadata = { "rubygems_mfa_required" => "true", "source_code_uri" => "https://example.com/src" }
        s.add_dependency "ent_b", ">= 1"
        s.add_dependency "rack", "~> 2.0", "< 4"
        s.add_development_dependency "rake", ">= 0"
        s.required_ruby_version = ">= 2.7"
        s.date = Time.utc(2026, 11, 21)
      end
      Gem::DefaultUserInteraction.use_ui(Gem::SilentUI.new) { Gem::Package.build(s, true) }
      file = s.file_name
      loaded = Gem::Package.new(file).spec
      # What is one object twice would be written as a link.
      loaded.instance_variable_set(:@original_platform, loaded.instance_variable_get(:@original_platform).dup)
      loaded.instance_variable_set(:@new_platform, loaded.instance_variable_get(:@original_platform).dup)
      File.binwrite(File.join(out, file.sub(/gem$/, "marshal")), Marshal.dump(loaded))
      FileUtils.cp(file, out)
    end
  end
end
build(out, "ent_a", "1.0.0")
build(out, "ent_a", "1.1.0.pre1", "x86_64-linux")
