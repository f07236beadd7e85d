using System.Text;
using Bascule.Core.Api;
using Bascule.Core.Config;
using Bascule.Core.Config.Editing;
using Bascule.Daemon;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bascule.Tests.Daemon;

/// <summary>A director in the process of the test.</summary>
public sealed class DirectorTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bascule-director-").FullName;

    [Fact]
    public async Task What_is_in_force_is_what_was_read_whatever_the_file_says_by_the_time_it_has_started()
    {
        string file = Path.Combine(_folder, "bascule.yaml");
        string text = $$"""
            workers: 1
            admin: { socket: {{_folder}}/admin.sock }
            stateFile: {{_folder}}/state.json
            virtualServers: { web: { address: 127.0.0.1:{{BasculeProcess.FreePorts()}}, scheduler: rr, check: none, realServers: [127.0.0.1:81] } }

            """;
        File.WriteAllText(file, text.Replace("scheduler: rr", "scheduler: wlc", StringComparison.Ordinal));
        CheckedConfiguration read = ConfigurationText.Check(Encoding.UTF8.GetBytes(text));
        Director director = (await Director.StartAsync(file, text, read.Meant!, TimeProvider.System, NullLoggerFactory.Instance, problem => Assert.Fail(problem)))!;

        EditResult seen = await director.EditAsync(Weight(save: false));
        EditResult saved = await director.EditAsync(Weight(save: true));
        await director.StopAsync();

        Assert.Contains(seen.Difference, line => line.StartsWith('-') && line.Contains("scheduler: rr", StringComparison.Ordinal));
        Assert.Contains("was changed since it was last read", Assert.Single(saved.Reload.Problems), StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static EditRequest Weight(bool save) => new()
    {
        Change = new() { Kind = ChangeKind.Edit, Name = "web/127.0.0.1:81", Settings = [new("weight", "3")] },
        DryRun = !save,
        Save = save,
        By = "anna",
    };
}
