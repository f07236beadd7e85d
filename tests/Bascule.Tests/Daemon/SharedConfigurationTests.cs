using System.Collections.Immutable;
using Bascule.Core.Api;
using Bascule.Core.Config.Sharing;
using Bascule.Core.Model;
using Bascule.Daemon;
using Bascule.Testing;
using Microsoft.Extensions.Logging;

namespace Bascule.Tests.Daemon;

/// <summary>One director's side; the peer is whatever a test makes of it.</summary>
public sealed class SharedConfigurationTests : IAsyncDisposable
{
    private const string Before = "node: director-1\n\nvirtualServers: { web: 1 }\n";
    private const string After = "node: director-1\n\nvirtualServers: { web: 2 }\n";

    private readonly string _folder = Directory.CreateTempSubdirectory("bascule-shared-").FullName;
    private readonly List<string> _log = [];
    private readonly LineLog _loggers;
    private readonly SharedConfiguration _shared;
    private Action _asked = () => { };

    public SharedConfigurationTests()
    {
        ManualClock clock = new();
        File.WriteAllText(Path, Before);
        _loggers = new(_log.Add, clock, LogLevel.Information);
        SharingShell shell = new("director-1", Path, ["director-2"], AskAsync, _ => [], _ => Result(["mind this"]), problems => Result([], problems));
        HaSettings settings = new()
        {
            Instances = [],
            Port = 1,
            BackupCheckInterval = TimeSpan.FromSeconds(1),
            HandoverTimeout = TimeSpan.FromSeconds(1),
            StateFolder = _folder,
            SharesConfiguration = true,
            RealtimePriority = 0,
        };
        _shared = SharedConfiguration.TryOpen(shell, settings, Before, clock, _loggers.CreateLogger("test"), out string? whyNot)!;
        Assert.Null(whyNot);
    }

    private string Path => System.IO.Path.Combine(_folder, "bascule.yaml");

    [Fact]
    public async Task What_an_operator_should_know_of_a_peers_change_is_in_the_log()
    {
        ConfigurationVersion theirs = new([_shared.Report().Versions[0].Id], "virtualServers: { web: 2 }\n", DateTimeOffset.UnixEpoch, "director-2", "reload");

        SharingAnswer? answer = SharingWire.Answer(await _shared.AnswerAsync("director-2", SharingWire.Bytes(new SharingQuestion(SharingWord.Apply, theirs))));

        Assert.Equal((SharingReply.Applied, After), (answer!.Reply, await File.ReadAllTextAsync(Path)));
        Assert.Single(_log, line => line.Contains("mind this", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_somebody_writes_into_the_file_while_the_peers_are_asked_is_not_written_over()
    {
        _asked = () => File.AppendAllText(Path, "# by hand\n");

        ReloadResult result = await _shared.EditAsync("edit web", () => (After, null));

        Assert.Contains("was changed just now", Assert.Single(result.Problems), StringComparison.Ordinal);
        Assert.Equal($"{Before}# by hand\n", await File.ReadAllTextAsync(Path));
        Assert.Single(_shared.Report().Versions);
    }

    public async ValueTask DisposeAsync()
    {
        await _shared.DisposeAsync();
        _loggers.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private Task<byte[]?> AskAsync(string peer, byte[] question)
    {
        _asked();
        return Task.FromResult<byte[]?>(SharingWire.Bytes(new SharingAnswer(SharingReply.Valid, null, [], [])));
    }

    private static ReloadResult Result(ImmutableArray<string> warnings, params IEnumerable<string> problems) => new()
    {
        Applied = !problems.Any(),
        Snapshot = 1,
        Problems = [.. problems],
        Warnings = warnings,
        Added = [],
        Removed = [],
        Changed = [],
        Kept = [],
    };
}
