using Bascule.Core.Config.Editing;

namespace Bascule.Core.Tests.Config.Editing;

/// <summary>What log, status and history show of a change.</summary>
public sealed class ConfigurationChangeTests
{
    [Theory]
    [InlineData("weight", "3")]
    [InlineData("scheduler", "{ type: mh, port: true }")]
    [InlineData("realServers", "[10.0.0.11:80, 10.0.0.12:80]")]
    [InlineData("check.path", "/healthz")]
    [InlineData("check.command", "[/usr/local/bin/probe, -v]")]
    public void What_is_no_secret_is_shown(string name, string value) => Assert.Equal($"edit web {name}={value}", Words(name, value));

    [Theory]
    [InlineData("check.password", "hunter2")]
    [InlineData("check.password.text", "hunter2")]
    [InlineData("check.headers.X-Auth", "hunter2")]
    [InlineData("check.headers", "{ X-Auth: hunter2 }")]
    [InlineData("check.environment.PGPASS", "hunter2")]
    [InlineData("check.environment", "{ TOKEN: hunter2 }")]
    [InlineData("check.steps", "[{ send: \"AUTH hunter2\" }]")]
    [InlineData("check.agentSend", "hunter2")]
    [InlineData("check", "{ type: agent, agentSend: hunter2 }")]
    [InlineData("realServers", "[{ address: 10.0.0.11:80, check: { type: script, command: [/x], environment: { A: hunter2 } } }]")]
    [InlineData("check.command", "[/usr/local/bin/probe, --password, hunter2]")]
    public void What_may_be_a_secret_is_not_shown(string name, string value) => Assert.Equal($"edit web {name}=***", Words(name, value));

    private static string Words(string name, string value) =>
        new ConfigurationChange { Kind = ChangeKind.Edit, Name = "web", Settings = [new(name, value)] }.Words;
}
