using System.Text;
using System.Text.Json;
using Bascule.Commands;
using Bascule.Core.Config;

namespace Bascule.Tests.Commands;

public sealed class CommandLineTests : IDisposable
{
    private const string Good = """
        virtualServers:
          web: { address: "127.0.0.1:8080", protocol: http, scheduler: wlc, realServers: ["127.0.0.1:8081", "127.0.0.1:8082"] }
          raw: { address: "127.0.0.1:8090", protocol: tcp, scheduler: rr, realServers: ["127.0.0.1:8091"], sorryServer: "127.0.0.1:8099" }
        """;

    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public async Task Check_says_one_line_for_each_virtual_server_and_exits_with_0()
    {
        File.WriteAllText(_file, Good);

        (int code, string output, string error) = await BasculeProcess.RunAsync("check", _file);

        Assert.Equal((0, ""), (code, error));
        string[] lines = output.Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("web: http on 127.0.0.1:8080, wlc over 2 real servers", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("raw: tcp on 127.0.0.1:8090, rr over 1 real server,", lines[1], StringComparison.Ordinal);
        Assert.EndsWith("sorry server 127.0.0.1:8099", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_prints_every_problem_with_its_place_and_exits_with_1()
    {
        File.WriteAllText(_file, Good.Replace("wlc", "wcl", StringComparison.Ordinal).Replace("sorryServer", "sorySever", StringComparison.Ordinal));

        (int code, string output, string error) = await BasculeProcess.RunAsync("check", _file);

        Assert.Equal((1, ""), (code, output));
        string[] lines = error.Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.StartsWith($"{_file}:2:", lines[0], StringComparison.Ordinal);
        Assert.Contains("did you mean `wlc`", lines[0], StringComparison.Ordinal);
        Assert.StartsWith($"{_file}:3:", lines[1], StringComparison.Ordinal);
    }

    private const string Warned = """
        ha: { instances: { web-vip: { interface: eth0, virtualRouterId: 51, addresses: [192.0.2.10/24] } } }
        virtualServers: { web: { address: 192.0.2.10:80, realServers: [10.0.0.11] } }
        """;

    [Fact]
    public async Task Check_prints_warnings_with_their_places_and_exits_with_0()
    {
        File.WriteAllText(_file, Warned);

        (int code, string output, string error) = await BasculeProcess.RunAsync("check", _file);

        Assert.Equal(0, code);
        Assert.StartsWith("web: tcp on 192.0.2.10:80", output, StringComparison.Ordinal);
        Assert.StartsWith($"{_file}:1:29: warning: `web-vip` has no `priority`", Assert.Single(error.Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_as_JSON_has_the_warnings_beside_the_problems()
    {
        File.WriteAllText(_file, Warned);

        (int code, string output, string error) = await BasculeProcess.RunAsync("check", "--json", _file);

        Assert.Equal((0, ""), (code, error));
        JsonElement report = JsonDocument.Parse(output).RootElement;
        Assert.True(report.GetProperty("ok").GetBoolean());
        Assert.Empty(report.GetProperty("problems").EnumerateArray());
        JsonElement warning = Assert.Single(report.GetProperty("warnings").EnumerateArray());
        Assert.Equal((1, 29), (warning.GetProperty("line").GetInt32(), warning.GetProperty("column").GetInt32()));
    }

    [Fact]
    public async Task Check_warns_of_a_key_file_that_others_may_read_or_that_is_not_there_and_never_says_the_key()
    {
        string key = Path.GetTempFileName();
        try
        {
            File.WriteAllText(key, "0123456789abcdef0123456789abcdef");
            File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.GroupRead);
            File.WriteAllText(_file, $$"""
                node: a
                ha:
                  peers:
                    b: { addresses: [10.0.0.2, 10.1.0.2], key: { file: {{key}} } }
                    c: { addresses: [10.0.0.3, 10.1.0.3], key: { file: {{key}}.missing } }
                  instances: { web-vip: { interface: eth0, virtualRouterId: 51, priority: 150, addresses: [192.0.2.10/24] } }
                virtualServers: { web: { address: 192.0.2.10:80, realServers: [10.0.0.11] } }
                """);

            (int code, _, string error) = await BasculeProcess.RunAsync("check", _file);

            Assert.Equal(0, code);
            string[] lines = error.Split('\n');
            Assert.Equal(2, lines.Length);
            Assert.Contains($"chmod 600 {key}", lines[0], StringComparison.Ordinal);
            Assert.Contains($"{key}.missing is not there", lines[1], StringComparison.Ordinal);
            Assert.DoesNotContain("0123456789abcdef", error, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(key);
        }
    }

    [Fact]
    public async Task Check_warns_of_a_file_with_secrets_that_others_may_read()
    {
        File.WriteAllText(_file, Warned.Replace("virtualRouterId: 51", "virtualRouterId: 51, priority: 150, version: 2, authentication: { password: s3same }", StringComparison.Ordinal));
        File.SetUnixFileMode(_file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);

        (int code, _, string error) = await BasculeProcess.RunAsync("check", _file);

        Assert.Equal(0, code);
        Assert.Contains($"chmod 600 {_file}", Assert.Single(error.Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_warns_of_every_file_with_a_secret_that_others_may_read_once()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("bascule-secrets-");
        string[] files = [.. ((string[])["open", "group", "closed", "cookie.key"]).Select(name => Path.Combine(folder.FullName, name))];
        UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            foreach ((string file, UnixFileMode others) in files.Zip((UnixFileMode[])[UnixFileMode.OtherRead, UnixFileMode.GroupRead, UnixFileMode.None, UnixFileMode.OtherRead]))
            {
                File.WriteAllText(file, "geheim");
                File.SetUnixFileMode(file, owner | others);
            }

            File.WriteAllText(_file, $$"""
                packets: { interfaces: [eth0], hashKey: { file: {{files[1]}} } }
                stateFile: {{folder.FullName}}/state.json
                virtualServers:
                  web: { address: 127.0.0.1:80, protocol: http, persistence: { by: cookie }, realServers: [127.0.0.2] }
                  mail:
                    address: 127.0.0.1:143
                    check: { any: [tcp, { type: imap, user: u, password: { file: {{files[0]}} } }, { type: redis, password: { file: {{files[2]}} } }] }
                    realServers:
                      - { address: 127.0.0.2, check: { type: radius, secret: { file: {{files[1]}} }, user: u, password: { file: {{files[0]}} } } }
                      - { address: 127.0.0.3, check: { type: postgres, user: u, password: geheim } }
                """);
            File.SetUnixFileMode(_file, owner | UnixFileMode.GroupRead);

            (int code, _, string error) = await BasculeProcess.RunAsync("check", _file);

            Assert.Equal(0, code);
            Assert.Equal(
                ((string[])[_file, files[0], files[1], files[3]]).Order(StringComparer.Ordinal),
                error.Split('\n').Where(line => line.Contains("others than its owner", StringComparison.Ordinal)).Select(line => line.Split("`chmod 600 ")[1].Split('`')[0]).Order(StringComparer.Ordinal));
            Assert.DoesNotContain("geheim", error, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Check_warns_of_a_user_that_is_not_there()
    {
        File.WriteAllText(_file, """
            virtualServers:
              batch:
                address: 127.0.0.1:8080
                check: { all: [tcp, { type: script, command: [/bin/true], user: nosuchuser }, { type: script, command: [/bin/true], user: nobody }] }
                realServers: [127.0.0.2]
            """);

        (int code, _, string error) = await BasculeProcess.RunAsync("check", _file);

        Assert.Equal(0, code);
        Assert.Contains("there is no user nosuchuser here", Assert.Single(error.Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_of_a_missing_file_is_a_sentence_and_exits_with_1()
    {
        (int code, _, string error) = await BasculeProcess.RunAsync("check", _file + ".missing");

        Assert.Equal(1, code);
        Assert.Single(error.Split('\n'));
        Assert.Contains(_file + ".missing", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_as_JSON_has_the_problems_as_numbers_and_words()
    {
        File.WriteAllText(_file, Good.Replace("wlc", "wcl", StringComparison.Ordinal));

        (int code, string output, _) = await BasculeProcess.RunAsync("check", "--json", _file);

        Assert.Equal(1, code);
        JsonElement report = JsonDocument.Parse(output).RootElement;
        Assert.False(report.GetProperty("ok").GetBoolean());
        JsonElement problem = Assert.Single(report.GetProperty("problems").EnumerateArray());
        Assert.Equal(2, problem.GetProperty("line").GetInt32());
    }

    [Fact]
    public async Task Version_as_JSON_names_version_runtime_and_system()
    {
        (int code, string output, _) = await BasculeProcess.RunAsync("version", "--json");

        Assert.Equal(0, code);
        JsonElement version = JsonDocument.Parse(output).RootElement;
        Assert.Equal(VersionCommand.Current.Version, version.GetProperty("version").GetString());
        Assert.StartsWith(".NET 10", version.GetProperty("runtime").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData]
    [InlineData("frobnicate")]
    [InlineData("status", "--frobnicate")]
    [InlineData("demo", "--port", "0")]
    [InlineData("demo", "--port", "65535")]
    [InlineData("demo", "--seconds", "soon")]
    public async Task What_makes_no_sense_exits_with_2_and_says_so(params string[] arguments)
    {
        (int code, _, string error) = await BasculeProcess.RunAsync(arguments);

        Assert.Equal(2, code);
        Assert.NotEqual("", error);
    }

    [Theory]
    [InlineData("run", "SIGHUP")]
    [InlineData("status", "quiesced")]
    [InlineData("reload", "changes nothing")]
    [InlineData("list", "A dash is what nobody")]
    [InlineData("explain", "no flow is recorded")]
    [InlineData("capture", "Ctrl-C")]
    [InlineData("detach", "goes on without a datapath")]
    [InlineData("check", "FILE:LINE:COLUMN")]
    [InlineData("demo", "Ctrl-C ends it")]
    public async Task Help_of_a_verb_tells_what_its_operator_needs(string verb, string text)
    {
        (int code, string output, _) = await BasculeProcess.RunAsync(verb, "--help");

        Assert.Equal(0, code);
        Assert.Contains(text, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_lists_the_verbs_in_a_line_each_and_hides_what_only_the_demo_starts()
    {
        (_, string output, _) = await BasculeProcess.RunAsync("--help");

        Assert.All(["run", "check", "status", "list", "explain", "capture", "detach", "decap", "reload", "demo", "config", "version"],
            verb => Assert.Contains($"\n  {verb} ", output, StringComparison.Ordinal));
        Assert.DoesNotContain("demo-server", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Config_prints_the_schema_and_the_reference()
    {
        Assert.Equal((0, JsonSchema.Write().TrimEnd()), await OutputOf("config", "schema"));
        Assert.Equal((0, ReferencePage.Write().TrimEnd()), await OutputOf("config", "reference"));
    }

    [Fact]
    public async Task Status_and_reload_without_a_daemon_say_what_to_do_and_exit_with_1()
    {
        foreach (string verb in new[] { "status", "reload" })
        {
            (int code, string output, string error) = await BasculeProcess.RunAsync(verb, "-s", _file + ".sock");

            Assert.Equal((1, ""), (code, output));
            Assert.StartsWith($"No daemon answers on {_file}.sock.", error, StringComparison.Ordinal);
            Assert.Contains("bascule run", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_usual_socket_is_the_default_of_the_file() =>
        Assert.Equal(Shared.DefaultSocket, ConfigurationText.Check(Encoding.UTF8.GetBytes(Good)).Meant!.AdminSocket);

    private static async Task<(int Code, string Out)> OutputOf(params string[] arguments)
    {
        (int code, string output, _) = await BasculeProcess.RunAsync(arguments);
        return (code, output.TrimEnd());
    }
}
