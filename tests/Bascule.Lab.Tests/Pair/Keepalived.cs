using System.Diagnostics;
using System.Globalization;
using Bascule.Testing;

namespace Bascule.Lab.Tests.Pair;

/// <summary>keepalived on a machine of the lab, as Debian has it, with one virtual router.</summary>
internal sealed class Keepalived : IRouterProcess
{
    private readonly LabMachine _machine;
    private readonly string _folder;
    private Process? _process;

    private Keepalived(PairFixture lab, LabMachine machine, KeepalivedRouter router)
    {
        _machine = machine;
        _folder = Path.Combine(lab.Network.Folder, $"{machine.Role}-keepalived");
        Directory.CreateDirectory(_folder);
        File.WriteAllText(Path.Combine(_folder, "conf"), router.Text);
    }

    /// <inheritdoc/>
    public string Director => _machine.Role;

    /// <summary>What it wrote.</summary>
    public string Log => File.ReadAllText(LogFile);

    private string LogFile => Path.Combine(_folder, "log");

    /// <summary>Starts it, and waits until it has read its configuration.</summary>
    public static async Task<Keepalived> StartAsync(PairFixture lab, string machine, KeepalivedRouter router)
    {
        Keepalived started = new(lab, lab[machine], router);
        await started.StartAgainAsync();
        return started;
    }

    /// <inheritdoc/>
    public async Task StartAgainAsync()
    {
        File.WriteAllText(LogFile, "");
        foreach (string name in (string[])["pid", "vrrp-pid"])
            File.Delete(Path.Combine(_folder, name));
        // --vrrp: no health checkers. Two instances on one machine need process id files of their own.
        _process = _machine.Start(LogFile, "keepalived", "--vrrp", "--dont-fork", "--log-console", "--log-detail", "--use-file", Path.Combine(_folder, "conf"),
            "--pid", Path.Combine(_folder, "pid"), "--vrrp_pid", Path.Combine(_folder, "vrrp-pid"));
        await Eventually.HoldsAsync(() => Log.Contains("Entering BACKUP STATE", StringComparison.Ordinal), "keepalived started");
    }

    /// <inheritdoc/>
    public async Task KillAsync()
    {
        // The parent is stopped first: it would start its child again, and the child says goodbye when it loses its parent.
        Signal.Send("STOP", _process!.Id);
        Signal.Send("KILL", Child);
        Signal.Send("KILL", _process.Id);
        await _process.WaitForExitAsync();
    }

    /// <inheritdoc/>
    public async Task StopAsync()
    {
        Signal.Send("TERM", _process!.Id);
        await _process.WaitForExitAsync();
    }

    /// <inheritdoc/>
    public void Pause()
    {
        Signal.Send("STOP", _process!.Id);
        Signal.Send("STOP", Child);
    }

    /// <inheritdoc/>
    public void Continue()
    {
        Signal.Send("CONT", Child);
        Signal.Send("CONT", _process!.Id);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
            await KillAsync();
        // It leaves its addresses behind.
        await _machine.RunScriptAsync($"ip address flush dev eth0 to {PairPlan.VirtualAddress}/32; ip -6 address flush dev eth0 to {PairPlan.VirtualAddress6}/128");
        _process?.Dispose();
    }

    private int Child => int.Parse(File.ReadAllText(Path.Combine(_folder, "vrrp-pid")), CultureInfo.InvariantCulture);
}

/// <summary>A vrrp_instance.</summary>
internal sealed record KeepalivedRouter
{
    public int Version { get; init; } = 3;

    public int Id { get; init; } = 51;

    public int Priority { get; init; } = 100;

    /// <summary>Seconds; version 2 wants whole ones.</summary>
    public double Interval { get; init; } = 0.1;

    public string Address { get; init; } = $"{PairPlan.VirtualAddress}/24";

    /// <summary>The other's address, and ours; null: multicast.</summary>
    public (string Ours, string Theirs)? Unicast { get; init; }

    /// <summary>Any other lines of the instance.</summary>
    public string More { get; init; } = "";

    public string Text => $$"""
        global_defs {
          vrrp_version {{Version}}
        }
        vrrp_instance lab {
          state BACKUP
          interface eth0
          virtual_router_id {{Id}}
          priority {{Priority}}
          advert_int {{Interval.ToString(CultureInfo.InvariantCulture)}}
          {{(Unicast is { } u ? $"unicast_src_ip {u.Ours}\n  unicast_peer {{ {u.Theirs} }}" : "")}}
          {{More}}
          virtual_ipaddress { {{Address}} }
        }

        """;
}
